import { KilldrillError } from '../../src/errors.ts';
import type { ResumeWhich } from '../../src/store/store.ts';
import type { Anchor, Scenario, TimelineEntry } from '../scenario/scenario.ts';
import { isSelector } from '../scenario/selectors.ts';
import { namesIn } from './names-in.ts';
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
      return namesIn(runs).tenants[0] ?? NOBODY;
    case '$busiestFeature':
      return namesIn(runs).features[0] ?? NOBODY;
    case '$busiestAgent':
      return namesIn(runs).agents[0] ?? NOBODY;
    case '$busiestCapability':
      return namesIn(runs).capabilities[0] ?? NO_CAPABILITY;
    case '$primedRun':
      return runs.length === 0 ? NOBODY : FIRST_PRIMED_RUN;
    default:
      throw new KilldrillError('SELECTOR_UNKNOWN', `selector '${selector}' is none that a trace can resolve`);
  }
}
