import { figure, targetIn } from './gauge.ts';
import type { Gauge } from './gauge.ts';
import type { CostRule } from './rule.ts';
import { SlidingWindow, SUM } from './sliding-window.ts';

/** What was spent within the window. */
export function cost(rule: CostRule): Gauge {
  const { per, amount: most, windowMs } = rule;
  return {
    sample(observation) {
      if (observation.kind !== 'cost') return null;
      const target = targetIn(per, observation);
      if (target === null) return null;
      return {
        key: target,
        target,
        amount: observation.amount,
        what: per === 'global' ? 'the fleet' : `${per} ${target}`,
      };
    },
    makeLevel: () => new SlidingWindow(windowMs, SUM),
    threshold: most,
    isRed: (value) => value >= most,
    reason: (what, value) =>
      `${what} has spent ${figure(value)} within ${figure(windowMs / 1_000)} s; ${figure(most)} is too much`,
  };
}
