import { describe, expect, it } from 'vitest';
import { countEffects } from '../../../harness/checkers/effects-after.ts';
import { indexOf } from '../../../harness/checkers/index-of.ts';
import { check } from './checking.ts';
import { AT, cleanDrill, intent } from './clean-drill.ts';
import { effect, fault, plus, recordOf } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const RESUMED = AT.stop + 1_000;
const paused = plus(
  cleanDrill(),
  ...fault({ fault: 1, kind: 'pause', target: 'worker-1', plane: null }, AT.stop - 100, RESUMED),
);
const run = paused.runs.find((one) => one.tenant === 'acme' && one.primed !== true);
if (run === undefined) throw new Error('the clean drill has a run of acme');

const emitted = (atMs: number, key: string, worker = 1) =>
  effect({ atMs, worker, run: run.run, capability: 'model/chat', key });
/** An intent of the run with a key of its own, by its place against the stop. */
function started(key: string, atMs: number) {
  const row = intent({ worker: 1, run: run ?? raise(), step: 0, atMs, outcome: 'unknown' });
  return row.body.type === 'store.intent' ? { ...row, body: { ...row.body, key, capability: 'model/chat' } } : row;
}
function raise(): never {
  throw new Error('no run');
}

function counts(draft: DraftDrill) {
  const index = indexOf(recordOf(draft));
  const [stop] = index.stops;
  if (stop === undefined) throw new Error('the drill has a stop');
  const { afterFlip, afterBudget, suspended } = countEffects(index, stop);
  return { afterFlip: afterFlip.length, afterBudget: afterBudget.length, suspended: suspended.length };
}

describe('effects of a worker that was suspended across the stop', () => {
  it('counts what it emits of a call already started apart', () => {
    const draft = plus(paused, started('s', AT.stop - 150), ...emitted(RESUMED + 3, 's'));
    expect(counts(draft)).toEqual({ afterFlip: 0, afterBudget: 0, suspended: 1 });
    expect(check('no_effect_after_stop', draft).verdict).toBe('pass');
  });

  it.each([
    [
      'a second effect of the same call',
      [started('s', AT.stop - 150), ...emitted(RESUMED + 3, 's'), ...emitted(RESUMED + 4, 's')],
    ],
    ['a call whose intent comes after the stop', [started('s', RESUMED + 1), ...emitted(RESUMED + 3, 's')]],
    ['a call without an intent', emitted(RESUMED + 3, 's')],
    ['an effect long after it went on', [started('s', AT.stop - 150), ...emitted(RESUMED + 800, 's')]],
    ['an effect of another worker', [started('s', AT.stop - 150), ...emitted(RESUMED + 3, 's', 2)]],
  ])('does not excuse %s', (_, more) => {
    const draft = plus(paused, ...more);
    expect(counts(draft).afterBudget).toBe(1);
    expect(check('no_effect_after_stop', draft).verdict).toBe('fail');
  });
});
