import { KilldrillError } from '../../src/errors.ts';
import type { Scenario, TimelineEntry } from '../scenario/scenario.ts';
import { isSelector } from '../scenario/selectors.ts';
import type { TraceRun } from './trace.ts';

/** What selectors come to when there is no traffic to choose from. */
const NOBODY = 'nobody';
const NO_CAPABILITY = 'model/chat';

/** The id of the first primed run, unless the scenario names the run that it stops. */
export const FIRST_PRIMED_RUN = 'primed-001';

/**
 * The scenario with each selector replaced by what it comes to in this traffic, by planned effects; among equals the
 * name that sorts first. `$primedRun` is an id that is known before the primed runs are made.
 */
export function resolveSelectors(scenario: Scenario, runs: readonly TraceRun[]): Scenario {
  const busiest = (): string => mostFrequent(runs.flatMap((run) => run.plan.map(() => run.tenant))) ?? NOBODY;
  const busiestCapability = (): string =>
    mostFrequent(runs.flatMap((run) => run.plan.map((step) => step.capability))) ?? NO_CAPABILITY;
  const resolve = (target: string): string => {
    switch (target) {
      case '$busiest':
        return busiest();
      case '$busiestCapability':
        return busiestCapability();
      case '$primedRun':
        return runs.length === 0 ? NOBODY : FIRST_PRIMED_RUN;
      default:
        if (!isSelector(target)) return target;
        throw new KilldrillError('SELECTOR_UNKNOWN', `selector '${target}' is none that a trace can resolve`);
    }
  };
  const entry = (one: TimelineEntry): TimelineEntry =>
    one.kind === 'fault' ? one : { ...one, target: resolve(one.target) };
  return { ...scenario, timeline: scenario.timeline.map(entry) };
}

function mostFrequent(names: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const [first] = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return first?.[0] ?? null;
}
