import { figure, targetIn } from './gauge.ts';
import type { Gauge } from './gauge.ts';
import type { LoopRule } from './rule.ts';
import { SlidingWindow, SUM } from './sliding-window.ts';

/** How often the same call was made within the window: the same capability with the same arguments, by the same run (or agent, or tenant). */
export function loop(rule: LoopRule): Gauge {
  const { per, times, windowMs } = rule;
  return {
    sample(observation) {
      if (observation.kind !== 'effect' || observation.fingerprint === null) return null;
      const target = targetIn(per, observation);
      if (target === null) return null;
      const { capability, fingerprint } = observation;
      // Lengths first, so that no two series share a key.
      const key = `${capability.length} ${fingerprint.length} ${capability}${fingerprint}${target}`;
      return { key, target, amount: 1, what: `${per} ${target} (${capability})` };
    },
    makeLevel: () => new SlidingWindow(windowMs, SUM),
    threshold: times,
    isRed: (value) => value >= times,
    reason: (what, value) =>
      `${what} has made the same call ${figure(value)} times within ${figure(windowMs / 1_000)} s; ${times} is a loop`,
  };
}
