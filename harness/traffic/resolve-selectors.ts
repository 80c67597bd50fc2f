import { KilldrillError } from '../../src/errors.ts';
import type { ResumeWhich } from '../../src/store/store.ts';
import type { Anchor, Scenario, TimelineEntry } from '../scenario/scenario.ts';
import { isSelector } from '../scenario/selectors.ts';
import type { TraceRun } from './trace.ts';

/** What selectors come to when there is no traffic to choose from. */
const NOBODY = 'nobody';
const NO_CAPABILITY = 'model/chat';

/** The id of the first primed run, unless the scenario names the run that it stops. */
export const FIRST_PRIMED_RUN = 'primed-001';

type Resolve = (target: string) => string;

/**
 * The scenario with each selector replaced by what it comes to in this traffic, by planned effects; among equals the
 * name that sorts first. `$primedRun` is an id that is known before the primed runs are made.
 */
export function resolveSelectors(scenario: Scenario, runs: readonly TraceRun[]): Scenario {
  const known = new Map<string, string>();
  const resolve: Resolve = (target) => {
    if (!isSelector(target)) return target;
    const there = known.get(target) ?? valueOf(target, runs);
    known.set(target, there);
    return there;
  };
  const { fleet, timeline } = scenario;
  const classes = fleet.critical.classes.map((one) => ({ ...one, target: resolve(one.target) }));
  return {
    ...scenario,
    fleet: { ...fleet, critical: { ...fleet.critical, classes } },
    timeline: timeline.map((entry) => resolveEntry(entry, resolve)),
  };
}

function resolveEntry(entry: TimelineEntry, resolve: Resolve): TimelineEntry {
  const when = resolveAnchor(entry.when, resolve);
  switch (entry.kind) {
    case 'flip':
    case 'release':
    case 'compensate':
    case 'forge':
      return { ...entry, when, target: resolve(entry.target) };
    case 'resume':
      return { ...entry, when, which: resolveWhich(entry.which, resolve) };
    case 'contract':
    case 'alerts':
    case 'fault':
      return { ...entry, when };
  }
}

function resolveAnchor(anchor: Anchor, resolve: Resolve): Anchor {
  return anchor.kind === 'effect' ? { ...anchor, target: resolve(anchor.target) } : anchor;
}

function resolveWhich(which: ResumeWhich, resolve: Resolve): ResumeWhich {
  switch (which.kind) {
    case 'runs':
      return { ...which, runs: which.runs.map(resolve) };
    case 'tenant':
      return { ...which, tenant: resolve(which.tenant) };
    case 'all':
      return which;
  }
}

function valueOf(selector: string, runs: readonly TraceRun[]): string {
  switch (selector) {
    case '$busiest':
      return busiest(runs, ({ tenant }) => tenant) ?? NOBODY;
    case '$busiestFeature':
      return busiest(runs, ({ feature }) => feature) ?? NOBODY;
    case '$busiestAgent':
      return busiest(runs, ({ agent }) => agent) ?? NOBODY;
    case '$busiestCapability':
      return mostFrequent(runs.flatMap(({ plan }) => plan.map(({ capability }) => capability))) ?? NO_CAPABILITY;
    case '$primedRun':
      return runs.length === 0 ? NOBODY : FIRST_PRIMED_RUN;
    default:
      throw new KilldrillError('SELECTOR_UNKNOWN', `selector '${selector}' is none that a trace can resolve`);
  }
}

function busiest(runs: readonly TraceRun[], nameOf: (run: TraceRun) => string): string | null {
  return mostFrequent(runs.flatMap((run) => run.plan.map(() => nameOf(run))));
}

function mostFrequent(names: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const [first] = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return first?.[0] ?? null;
}
