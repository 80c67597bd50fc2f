import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workshop } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

describe('selftest', () => {
  it('fails a mutant by the property named for it, and passes a clean fleet', async () => {
    const names = ['flag-cached-at-boot', 'clean'];
    const { code, stdout, stderr } = await workshop.run(['selftest', ...names, '--out', 'out', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      rows: [
        { name: 'clean', kind: 'control', sound: true, why: null, verdict: 'pass', property: null },
        {
          name: 'flag-cached-at-boot',
          kind: 'mutant',
          sound: true,
          why: null,
          verdict: 'fail',
          property: 'no_effect_after_stop',
          witness: expect.stringMatching(/./) as string,
        },
      ],
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/clean: as it must be\n[^]*flag-cached-at-boot: as it must be\n/);
    expect(workshop.left()).toEqual([]);
  });

  it('lists its mutants and controls, one a line, and starts nothing', async () => {
    const { code, stdout } = await workshop.run(['selftest', '--list']);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['clean', 'flag-cached-at-boot']));
    expect(code).toBe(0);
  });

  it('drills side by side, in servers of their own, with rows in the order of the list', async () => {
    // a mutant that is found by what happened, however little of a loaded machine's time the drills get
    const names = ['flag-cached-at-boot', 'clean'];
    const { code, stdout } = await workshop.run(['selftest', ...names, '--out', 'out', '--parallel', '2', '--json']);
    const { rows, unguarded } = JSON.parse(stdout) as { rows: { name: string; why: string | null }[]; unguarded: null };
    expect(rows.map(({ name, why }) => [name, why])).toEqual([
      ['clean', null],
      ['flag-cached-at-boot', null],
    ]);
    expect([code, unguarded]).toEqual([0, null]); // what part of the subjects guards says nothing
    expect(workshop.left()).toEqual([]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGKILL', 137],
  ] as const)('leaves nothing behind after %s while it drills side by side', async (signal, exit) => {
    const { child, ended } = workshop.start(['selftest', 'clean', 'clean-paused', '--out', 'out', '--parallel', '2']);
    await expect
      .poll(() => workshop.left().some((one) => one.includes('fleet-sim')), { timeout: 30_000, interval: 20 })
      .toBe(true);
    child.kill(signal);
    expect((await ended).code).toBe(exit);
    await expect.poll(() => workshop.left(), { timeout: 5_000, interval: 50 }).toEqual([]);
  });
});
