import type { Checker, Finding } from './checker.ts';
import { countEffects } from './effects-after.ts';
import { missingExposure, noStop } from './exposure.ts';
import { fail, inconclusive, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { budgetOf } from './regime.ts';
import { firstWorst } from './first-worst.ts';
import { effectAgainst, effectName } from './witness-of.ts';
import { toMs } from './span.ts';

/** The witness saw no effect in scope of a stop later than its worker's budget. */
export const noEffectAfterStop: Checker = {
  name: 'no_effect_after_stop',
  claim:
    "No effect in scope of a stop arrives in the world later than its worker's budget after the stop was requested.",
  check(record) {
    const index = indexOf(record);
    return noStop(index) ?? firstWorst(index.stops.map((stop) => checkStop(index, stop)));
  },
};

function checkStop(index: DrillIndex, stop: Stop): Finding {
  const { afterBudget, suspended, straddling, wide, during, before } = countEffects(index, stop);
  const allowed = index.scenario.expect.effectsAfterBudget;
  const [first] = afterBudget;
  if (first !== undefined && afterBudget.length > allowed) {
    const { budgetMs, regime } = budgetOf(index, stop, first.worker);
    const evidence = {
      ...effectAgainst(first, stop),
      regime,
      budgetMs,
      effectsAfterBudget: afterBudget.length,
      allowed,
    };
    const when = `${Math.round(toMs(first.t0 - stop.requestNs))} ms after the stop of ${nameOf(stop.on)} was requested`;
    return fail(`${effectName(first)} arrived ${when}; the budget is ${budgetMs} ms`, evidence);
  }
  const [tooWide] = wide;
  if (tooWide !== undefined) {
    const width = Math.round(toMs(tooWide.t1 - tooWide.t0));
    const reason = `${effectName(tooWide)} is known to ${width} ms only, and a boundary lies within`;
    return inconclusive('arrivals known to 100 ms near the stop', reason, effectAgainst(tooWide, stop));
  }
  const missing = missingExposure(index, stop);
  if (missing !== null) return missing;
  const counts = {
    before,
    during,
    effectsAfterBudget: afterBudget.length,
    suspendedEffects: suspended.length,
    straddling,
  };
  return pass(
    `of effects in scope of ${nameOf(stop.on)}, ${before} came before the stop, ${during} during it, ${afterBudget.length} after the budget`,
    {
      flip: stop.flip,
      revision: stop.revision,
      ...counts,
    },
  );
}
