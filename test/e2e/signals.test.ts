import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { constants, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  // The moments are of a seed; twenty of them are in .ci/soak.
  const prng = makePrng(1);
  it.each([1, 2, 3].map((nth) => [nth, Math.floor(prng.uniform() * 6_000)] as const))(
    'leaves nothing behind (%i, %i ms after its start)',
    async (_, afterMs) => {
      const drill = start(['{ at: +200ms, fault: { kind: pause, target: worker-2, for: 20s } }']);
      await pause(afterMs);
      drill.child.kill('SIGKILL');
      await drill.ended;
      await until(() => workshop.left().length === 0, GONE_MS, `that nothing is left`);
    },
  );
});
