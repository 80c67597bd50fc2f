import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { constants, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import { makePrng } from '../../harness/traffic/prng.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';
import type { Running } from './workshop.ts';

/** The promise is 5 s; the machine may be busy. */
const GONE_MS = 8_000;
const LOOK_MS = 50;

let workshop: Workshop;
let drills = 0;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

function start(faults: readonly string[] = []): Running & { readonly reports: string } {
  drills += 1;
  const scenario = workshop.write(`drill-${drills}.yaml`, shortDrill({ faults, hold: '30s' }));
  const reports = join(workshop.folder, `reports-${drills}`);
  return { ...workshop.start(['run', scenario, '--environment', 'embedded', '--out', reports]), reports };
}

/** Whether the history, as far as it is on disk, has what is looked for. */
function hasHappened(reports: string, what: RegExp): boolean {
  try {
    const [run = 'none'] = readdirSync(reports);
    const file = readFileSync(join(reports, run, 'history.jsonl.gz'));
    return what.test(gunzipSync(file, { finishFlush: constants.Z_SYNC_FLUSH }).toString());
  } catch {
    return false; // not begun yet
  }
}

async function until(condition: () => boolean, boundMs: number, what: string): Promise<void> {
  const giveUpMs = performance.now() + boundMs;
  while (!condition()) {
    if (performance.now() > giveUpMs) throw new Error(`in vain, for ${boundMs} ms: ${what}`);
    await pause(LOOK_MS);
  }
}

const MOMENTS: readonly (readonly [name: string, faults: readonly string[], at: RegExp | null])[] = [
  ['as soon as there is something to leave behind', [], null],
  ['while workers start', [], /"worker\.spawned"/],
  ['in the middle of a stop', [], /"phase":"hold"/],
  [
    'while PostgreSQL is killed',
    ['{ at: +200ms, fault: { kind: kill, target: postgres, for: 20s } }'],
    /"fault\.injected"/,
  ],
  [
    'while PostgreSQL is paused',
    ['{ at: +200ms, fault: { kind: pause, target: postgres, for: 20s } }'],
    /"fault\.injected"/,
  ],
  [
    'while a worker is paused',
    ['{ at: +200ms, fault: { kind: pause, target: worker-1, for: 20s } }'],
    /"fault\.injected"/,
  ],
];

describe('a signal', () => {
  it.each(MOMENTS.flatMap((moment, index) => [[index % 2 === 0 ? 'SIGINT' : 'SIGTERM', ...moment] as const]))(
    '%s ends everything in order, %s',
    async (signal, _, faults, at) => {
      const drill = start(faults);
      const isThere = (): boolean => (at === null ? workshop.left().length > 0 : hasHappened(drill.reports, at));
      await until(isThere, 40_000, `the moment of ${String(at)}`);
      const sentMs = performance.now();
      drill.child.kill(signal);
      const { code, stdout, stderr } = await drill.ended;
      expect({ code, stdout }).toEqual({ code: signal === 'SIGINT' ? 130 : 143, stdout: '' });
      expect(performance.now() - sentMs).toBeLessThan(GONE_MS);
      expect(workshop.left()).toEqual([]);
      expect(stderr).toMatch(new RegExp(`stopped by ${signal}`));
      expect(stderr).not.toMatch(/\n\s+at /);
    },
  );

  it('changes nothing when it comes again and again', async () => {
    const drill = start();
    await until(() => hasHappened(drill.reports, /"phase":"hold"/), 40_000, 'the stop');
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM', 'SIGINT'] as const) {
      drill.child.kill(signal);
      await pause(LOOK_MS);
    }
    expect(await drill.ended).toMatchObject({ code: 130 });
    expect(workshop.left()).toEqual([]);
  });
});

describe('kill -9', () => {
  // Another moment each time; twenty of one seed are in .ci/soak. The name of the test has what repeats it.
  const seed = Date.now() % 1_000_000;
  const randomMs = Math.floor(makePrng(seed).uniform() * 8_000);

  async function killed(isTime: (reports: string) => Promise<void>): Promise<string> {
    const drill = start(['{ at: +200ms, fault: { kind: pause, target: worker-2, for: 20s } }']);
    await isTime(drill.reports);
    drill.child.kill('SIGKILL');
    await drill.ended;
    await until(() => workshop.left().length === 0, GONE_MS, 'that nothing is left');
    return drill.reports;
  }

  it('in the middle of a stop leaves nothing behind but a bundle, which is judged up to there', async () => {
    const reports = await killed((at) => until(() => hasHappened(at, /"fault\.injected"/), 40_000, 'the stop'));
    const [bundle = 'none'] = readdirSync(reports);
    const { code, stdout, stderr } = await workshop.run(['check', join(reports, bundle), '--json', '-q']);
    const { verdict, flips, notes } = JSON.parse(stdout) as VerdictFile;
    expect({ code, verdict, stderr }).toEqual({ code: 2, verdict: 'inconclusive', stderr: '' });
    expect(flips).toMatchObject([{ kind: 'stop', scope: 'tenant', mode: 'halt_all' }]);
    expect(notes[0]).toMatch(/run was cut short \d+\.\d s after traffic began, in the phase (?:timeline|hold)/);
    for (const command of ['promote', 'gate']) {
      const more = command === 'promote' ? ['--name', 'cut', '--dir', 'kept'] : ['--out', 'out'];
      const refused = await workshop.run([command, join(reports, bundle), ...more]);
      expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 3, stdout: '' });
      expect(refused.stderr).toMatch(/there is no verdict to hold a fleet to/);
    }
  });

  it(`at any moment leaves nothing that is taken for a verdict (seed ${seed}: ${randomMs} ms after its start)`, async () => {
    const reports = await killed(() => pause(randomMs));
    // Before its bundle was begun there is none.
    for (const bundle of existsSync(reports) ? readdirSync(reports) : []) {
      const { code, stdout, stderr } = await workshop.run(['check', join(reports, bundle), '-q']);
      if (code === 2) expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/run was cut short (?:before traffic|\d)/);
      else {
        expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
        expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/run was cut|has no \S+; it holds|ended before its record/);
      }
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });
});
