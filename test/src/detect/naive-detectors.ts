import { capabilityMatches } from '../../../src/switch.ts';
import type { Observation } from '../../../src/detect/observation.ts';
import type { DetectorRule } from '../../../src/detect/rule.ts';

/** An observation and when it came, kept for ever. */
export interface Seen {
  readonly atMs: number;
  readonly observation: Observation;
}

/** The targets that a rule is red for when it looks back exactly so far: slow, and obviously right. */
export function redTargets(rule: DetectorRule, seen: readonly Seen[], fromMs: number): ReadonlySet<string> {
  const groups = new Map<string, { readonly target: string; readonly values: number[] }>();
  for (const { atMs, observation } of seen) {
    const value = valueOf(rule, observation);
    const target = targetOf(rule, observation);
    if (atMs < fromMs || value === null || target === null) continue;
    const group = JSON.stringify([target, ...apart(rule, observation)]);
    const there = groups.get(group) ?? { target, values: [] };
    groups.set(group, there);
    there.values.push(value);
  }
  const red = [...groups.values()].filter(({ values }) => isRed(rule, values));
  return new Set(red.map(({ target }) => target));
}

function valueOf(rule: DetectorRule, observation: Observation): number | null {
  switch (rule.kind) {
    case 'write-rate': {
      if (observation.kind !== 'effect' || observation.access !== 'write') return null;
      const counts = (pattern: string): boolean => capabilityMatches(pattern, observation.capability);
      return rule.capabilities.length === 0 || rule.capabilities.some(counts) ? 1 : null;
    }
    case 'loop':
      return observation.kind === 'effect' && observation.fingerprint !== null ? 1 : null;
    case 'cost':
      return observation.kind === 'cost' ? observation.amount : null;
    case 'guardrail':
      return observation.kind === 'metric' && observation.name === rule.metric ? observation.value : null;
  }
}

function targetOf({ per }: DetectorRule, observation: Observation): string | null {
  if (per === 'global') return '*';
  if (per === 'capability') return observation.kind === 'effect' ? observation.capability : null;
  return observation[per];
}

function apart(rule: DetectorRule, observation: Observation): readonly (string | null)[] {
  if (observation.kind !== 'effect') return [];
  if (rule.kind === 'loop') return [observation.capability, observation.fingerprint];
  return rule.kind === 'write-rate' && rule.eachCapability ? [observation.capability] : [];
}

function isRed(rule: DetectorRule, values: readonly number[]): boolean {
  const sum = values.reduce((one, other) => one + other, 0);
  switch (rule.kind) {
    case 'write-rate':
      return sum / (rule.windowMs / 1_000) >= rule.perSecond;
    case 'loop':
      return sum >= rule.times;
    case 'cost':
      return sum >= rule.amount;
    case 'guardrail': {
      if (values.length < rule.minReadings) return false;
      const isHigh = rule.bound.kind === 'at-least';
      const worst = isHigh ? Math.max(...values) : Math.min(...values);
      const judged = rule.judge === 'mean' ? sum / values.length : worst;
      return isHigh ? judged >= rule.bound.value : judged <= rule.bound.value;
    }
  }
}
