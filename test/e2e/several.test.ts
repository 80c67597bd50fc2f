import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

describe('several drills', () => {
  it('pass side by side, from two processes', async () => {
    const scenario = workshop.write('short.yaml', shortDrill({ hold: '3s' }));
    const runs = ['one', 'one'].map((out) =>
      workshop.run(['run', scenario, '--environment', 'embedded', '--out', out, '-q', '--json']),
    );
    for (const { code, stdout, stderr } of await Promise.all(runs)) {
      const { verdict, worst } = JSON.parse(stdout) as VerdictFile;
      expect({ verdict, worst: worst?.reason, code, stderr }).toEqual({
        verdict: 'pass',
        worst: undefined,
        code: 0,
        stderr: '',
      });
    }
    expect(readdirSync(join(workshop.folder, 'one'))).toHaveLength(2);
    expect(workshop.left()).toEqual([]);
  });

  it('share one environment in one command, which ends with the worst of their exit codes', async () => {
    const short = { hold: '1s', settle: '0s' } as const;
    // Without a release that is waited for, only what is named is judged; the times are such that they cannot be kept.
    const failing = shortDrill({
      ...short,
      name: 'failing',
      expect: '{ timeToStop: { connected: 1ms, cut: 1ms }, properties: [in_flight_cancelled] }',
    });
    const files = [
      workshop.write('failing.yaml', failing),
      workshop.write('idle.yaml', shortDrill({ ...short, name: 'idle', effects: '0/s' })),
      workshop.write(
        'passing.yaml',
        shortDrill({ ...short, name: 'passing', expect: '{ properties: [flips_on_record] }' }),
      ),
    ];
    const { code, stderr } = await workshop.run([
      'run',
      ...files,
      '--environment',
      'embedded',
      '--out',
      'out',
      '--reporter',
      'json=all.json',
    ]);
    const verdicts = readFileSync(join(workshop.folder, 'all.json'), 'utf8')
      .split(/^(?=\{)/m)
      .map((text) => JSON.parse(text) as { scenario: string; verdict: string });
    expect(verdicts.map(({ scenario, verdict }) => `${scenario}: ${verdict}`)).toEqual([
      'failing: fail',
      'idle: inconclusive',
      'passing: pass',
    ]);
    expect(code).toBe(1);
    expect(stderr.match(/^postgres: /gm)).toHaveLength(1);
    expect(stderr.match(/^bundle: out\//gm)).toHaveLength(3);
    expect(workshop.left()).toEqual([]);
  });

  it('skip one that needs Kafka where there is none, which is no pass, and refuse it alone', async () => {
    const faults = ['{ at: +1s, fault: { kind: kill, target: kafka, for: 1s } }'];
    const needing = workshop.write('needing.yaml', shortDrill({ name: 'needing', faults }));
    const sound = { name: 'sound', hold: '1s', settle: '0s', expect: '{ properties: [flips_on_record] }' } as const;
    const passing = workshop.write('sound.yaml', shortDrill(sound));
    const { code, stdout, stderr } = await workshop.run(['run', needing, passing, '--out', 'out-2', '--json']);
    const documents = JSON.parse(`[${stdout.trim().replaceAll(/^\}\n\{$/gm, '},{')}]`);
    expect(documents).toMatchObject([
      { scenario: 'sound', verdict: 'pass' },
      { scenario: 'needing', verdict: 'skipped', reason: expect.stringMatching(/^needing needs Kafka/) },
    ]);
    expect(stderr).toMatch(/^skipped: needing needs Kafka, .*choose --environment local or containers$/m);
    expect(stderr).toMatch(/^1 of 2 scenarios were skipped, which is no pass$/m);
    expect(code).toBe(2);
    const alone = await workshop.run(['run', needing, '--out', 'out-3', '-q']);
    expect({ code: alone.code, stdout: alone.stdout }).toEqual({ code: 3, stdout: '' });
    expect(alone.stderr).toMatch(/needing needs Kafka/);
    expect(workshop.left()).toEqual([]);
  });
});
