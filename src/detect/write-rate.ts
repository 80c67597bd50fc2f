import { capabilityMatches } from '../switch.ts';
import { figure, targetIn } from './gauge.ts';
import type { Gauge, Sample } from './gauge.ts';
import type { Observation } from './observation.ts';
import type { WriteRateRule } from './rule.ts';
import { SlidingWindow, SUM } from './sliding-window.ts';

/** Writes a second, averaged over the window. */
export function writeRate(rule: WriteRateRule): Gauge {
  const seconds = rule.windowMs / 1_000;
  return {
    sample: (observation) => sampleOf(rule, observation),
    makeLevel() {
      const writes = new SlidingWindow(rule.windowMs, SUM);
      return {
        add: (nowMs, amount) => writes.add(nowMs, amount),
        read: (nowMs) => writes.read(nowMs) / seconds,
      };
    },
    threshold: rule.perSecond,
    isRed: (value) => value >= rule.perSecond,
    reason: (what, value) =>
      `${what} writes ${figure(value)} times a second over ${figure(seconds)} s; ${figure(rule.perSecond)} is too often`,
  };
}

function sampleOf(rule: WriteRateRule, observation: Observation): Sample | null {
  if (observation.kind !== 'effect' || observation.access !== 'write') return null;
  const { capability } = observation;
  const { per, capabilities, eachCapability } = rule;
  if (capabilities.length > 0 && !capabilities.some((pattern) => capabilityMatches(pattern, capability))) return null;
  const target = per === 'capability' ? capability : targetIn(per, observation);
  if (target === null) return null;
  const isApart = eachCapability && per !== 'capability';
  return {
    // The length first, so that no two series share a key.
    key: isApart ? `${capability.length} ${capability}${target}` : target,
    target,
    amount: 1,
    what: isApart ? `${per} ${target} (${capability})` : `${per} ${target}`,
  };
}
