import type { ResumeWhich } from '../../src/store/store.ts';
import type { Scope, Switch } from '../../src/switch.ts';
import type { Scenario, TimelineEntry } from '../scenario/scenario.ts';
import type { Trace } from '../traffic/trace.ts';

export interface Redacted {
  readonly scenario: Scenario;
  readonly trace: Trace;
  /** What stands in place of something else, and how many there were. */
  readonly redacted: readonly { readonly what: string; readonly count: number }[];
}

/** What a stop or release says instead of its reason. */
const NO_REASON = 'not kept';

/**
 * The plan of a run without the names and texts that say whose it was: tenants and agents are numbered, in scenario and
 * trace alike, and reasons go. Ids of runs, features and capabilities stay.
 */
export function withStandIns({ scenario, trace }: { readonly scenario: Scenario; readonly trace: Trace }): Redacted {
  const tenants = numbered('tenant', [...trace.runs.map(({ tenant }) => tenant), ...targetsOf(scenario, 'tenant')]);
  const agents = numbered('agent', [...trace.runs.map(({ agent }) => agent), ...targetsOf(scenario, 'agent')]);
  const nameOf = (scope: Scope, target: string): string =>
    (scope === 'tenant' ? tenants : scope === 'agent' ? agents : null)?.get(target) ?? target;
  const reasons = scenario.timeline.filter((entry) => 'reason' in entry && entry.reason !== NO_REASON).length;
  const runs = trace.runs.map((run) => ({
    ...run,
    tenant: nameOf('tenant', run.tenant),
    agent: nameOf('agent', run.agent),
  }));
  return {
    scenario: renamed(scenario, nameOf),
    trace: { ...trace, runs },
    redacted: [
      { what: 'names of tenants', count: tenants.size },
      { what: 'names of agents', count: agents.size },
      { what: 'reasons of stops and releases', count: reasons },
    ],
  };
}

/** In the order of their names, so that the order of their traffic says nothing. */
function numbered(word: string, names: readonly string[]): ReadonlyMap<string, string> {
  const known = [...new Set(names)].toSorted();
  const digits = String(known.length).length;
  return new Map(known.map((name, at) => [name, `${word}-${String(at + 1).padStart(digits, '0')}`]));
}

function targetsOf({ fleet, timeline }: Scenario, scope: Scope): readonly string[] {
  const named = [...timeline.flatMap(switchesOf), ...fleet.critical.classes];
  return named.filter((on) => on.scope === scope).map(({ target }) => target);
}

/** What an entry names, its moment included. */
function switchesOf(entry: TimelineEntry): readonly Switch[] {
  const anchor: readonly Switch[] = entry.when.kind === 'effect' ? [entry.when] : [];
  if ('scope' in entry) return [...anchor, entry];
  if (entry.kind !== 'resume' || entry.which.kind !== 'tenant') return anchor;
  return [...anchor, { scope: 'tenant', target: entry.which.tenant }];
}

type NameOf = (scope: Scope, target: string) => string;

function renamed(scenario: Scenario, nameOf: NameOf): Scenario {
  const { fleet, timeline } = scenario;
  const classes = fleet.critical.classes.map((one) => ({ ...one, target: nameOf(one.scope, one.target) }));
  return {
    ...scenario,
    fleet: { ...fleet, critical: { ...fleet.critical, classes } },
    timeline: timeline.map((entry) => renamedEntry(entry, nameOf)),
  };
}

function renamedEntry(entry: TimelineEntry, nameOf: NameOf): TimelineEntry {
  const { when: anchor } = entry;
  const when = anchor.kind === 'effect' ? { ...anchor, target: nameOf(anchor.scope, anchor.target) } : anchor;
  switch (entry.kind) {
    case 'flip':
    case 'release':
      return { ...entry, when, target: nameOf(entry.scope, entry.target), reason: NO_REASON };
    case 'compensate':
    case 'forge':
      return { ...entry, when, target: nameOf(entry.scope, entry.target) };
    case 'resume':
      return { ...entry, when, which: renamedWhich(entry.which, nameOf) };
    default:
      return { ...entry, when };
  }
}

function renamedWhich(which: ResumeWhich, nameOf: NameOf): ResumeWhich {
  return which.kind === 'tenant' ? { ...which, tenant: nameOf('tenant', which.tenant) } : which;
}
