import { describe, expect, it } from 'vitest';
import { RunContext } from '../../src/run-context.ts';
import { RunningRuns } from '../../src/running-runs.ts';
import { ManualClock } from './manual-clock.ts';

const CONTEXT = new RunContext({ run: 'r1', agent: 'a1' }, null);

describe('the list of running runs', () => {
  it('holds a run from its begin until what it returned has ended, well or badly', async () => {
    const clock = new ManualClock();
    const runs = new RunningRuns(clock);
    for (const end of ['resolve', 'reject'] as const) {
      let finish = (): void => undefined;
      const body = (): Promise<void> =>
        new Promise((resolve, reject) => {
          finish = () => (end === 'resolve' ? resolve() : reject(new Error('bad')));
        });
      const promise = runs.track(CONTEXT, body);
      expect(runs.list()).toEqual([{ context: CONTEXT, sinceMs: clock.monotonicMs() }]);
      finish();
      await promise.catch(() => undefined);
      expect(runs.list()).toEqual([]);
    }
  });

  it('holds no run whose body has returned, or thrown, at once', () => {
    const runs = new RunningRuns(new ManualClock());
    expect(runs.track(CONTEXT, () => 7)).toBe(7);
    const thrown = new Error('at once');
    expect(() =>
      runs.track(CONTEXT, () => {
        throw thrown;
      }),
    ).toThrow(thrown);
    expect(runs.list()).toEqual([]);
  });
});
