import { figure, targetIn } from './gauge.ts';
import type { Gauge, Level } from './gauge.ts';
import type { GuardrailRule } from './rule.ts';
import { HIGHEST, LOWEST, SlidingWindow, SUM } from './sliding-window.ts';

/** Mean or worst of a guardrail's readings within the window. */
export function guardrail(rule: GuardrailRule): Gauge {
  const { per, metric, judge, bound, windowMs } = rule;
  const isRed = (value: number): boolean => (bound.kind === 'at-least' ? value >= bound.value : value <= bound.value);
  const side = bound.kind === 'at-least' ? 'high' : 'low';
  return {
    sample(observation) {
      if (observation.kind !== 'metric' || observation.name !== metric) return null;
      const target = targetIn(per, observation);
      if (target === null) return null;
      return {
        key: target,
        target,
        amount: observation.value,
        what: per === 'global' ? 'the fleet' : `${per} ${target}`,
      };
    },
    makeLevel: () => readingsOf(rule),
    threshold: bound.value,
    isRed,
    reason: (what, value) =>
      `${metric} of ${what} is ${figure(value)} (${judge} of ${figure(windowMs / 1_000)} s); ${figure(bound.value)} is too ${side}`,
  };
}

function readingsOf({ judge, bound, minReadings, windowMs }: GuardrailRule): Level {
  const count = new SlidingWindow(windowMs, SUM);
  const worst = bound.kind === 'at-least' ? HIGHEST : LOWEST;
  const readings = new SlidingWindow(windowMs, judge === 'mean' ? SUM : worst);
  return {
    add(nowMs, amount) {
      count.add(nowMs, 1);
      readings.add(nowMs, amount);
    },
    read(nowMs) {
      const n = count.read(nowMs);
      if (n < minReadings) return null;
      return judge === 'mean' ? readings.read(nowMs) / n : readings.read(nowMs);
    },
  };
}
