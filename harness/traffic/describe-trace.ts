import { CAPABILITY_NAMES } from './capabilities.ts';
import { intendedFit } from './expected-fit.ts';
import type { IntendedFit } from './expected-fit.ts';
import { MIX } from './mix.ts';
import type { Mix, Times } from './mix.ts';
import { isOrdinary } from './ordinary.ts';
import { statedQuantileMs } from './times.ts';
import { STEP_KINDS } from './trace.ts';
import type { PlanStep, StepKind, Trace, TraceRun } from './trace.ts';

/** A share of all effects or runs, 0 to 1: as the mix states it, and as it came out. */
export interface ShareFit {
  /** Null for a trace that was not drawn. */
  readonly intended: number | null;
  readonly share: number;
  readonly count: number;
}

/** A mean, as the mix comes to, and as it came out. */
export interface MeanFit {
  /** Null for a trace that was not drawn. */
  readonly intended: number | null;
  readonly drawn: number;
}

/** A distribution of times, milliseconds: as stated, and as it came out; null for no draws. */
export interface TimesFit {
  readonly count: number;
  /** Null for a trace that was not drawn. */
  readonly intended: Percentiles | null;
  readonly drawn: (Percentiles & { readonly longest: number }) | null;
}

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/**
 * How a trace came out against its mix, as rows for tables; one that was not drawn has none. Primed runs and probes are counted apart and left out of
 * everything else, as are runaways; descendants are counted with what arrives.
 */
export interface TraceFit {
  /** That arrive by themselves. */
  readonly runs: number;
  readonly children: number;
  readonly primedRuns: number;
  readonly probes: number;
  readonly effects: number;
  /** From T0 to the last run's arrival. */
  readonly seconds: number;
  readonly effectsPerSecond: number;
  readonly effectsPerRun: MeanFit;
  readonly childrenPerRun: MeanFit;
  /** Share of children that are waited for. */
  readonly attached: ShareFit;
  /** Share of effects that are refused at first; of these, the share that is refused twice. */
  readonly refused: ShareFit;
  readonly refusedTwice: ShareFit;
  /** Share of arriving runs that start later. */
  readonly scheduled: ShareFit;
  readonly kinds: readonly ({ readonly kind: StepKind } & ShareFit)[];
  /** Most effects first. */
  readonly capabilities: readonly CapabilityRow[];
  readonly timerLead: TimesFit;
  /** Timers that fire later than a hold that begins as they are set. */
  readonly timersBeyondHold: number;
  readonly retryDelay: TimesFit;
  readonly scheduleLead: TimesFit;
  /** Most effects first. */
  readonly tenants: readonly TenantRow[];
}

export interface CapabilityRow extends ShareFit {
  readonly capability: string;
  readonly journalFree: number;
  readonly service: TimesFit;
}

export interface TenantRow {
  readonly tenant: string;
  readonly runs: number;
  readonly effects: number;
  readonly share: number;
}

/** Counts a trace, and sets it against the mix that it was drawn from. */
export function describeTrace(trace: Trace): TraceFit {
  const runs = trace.runs.filter(({ runaway }) => runaway !== true);
  const ordinary = runs.filter(isOrdinary);
  const arriving = ordinary.filter(({ parent }) => parent === undefined);
  const steps = ordinary.flatMap(({ plan }) => plan);
  const seconds = (arriving.at(-1)?.dueMs ?? 0) / 1_000;
  const children = ordinary.length - arriving.length;
  const probes = runs.filter(({ probe }) => probe === true).length;
  const stated = statedBy(trace);
  return {
    runs: arriving.length,
    children,
    primedRuns: runs.length - ordinary.length - probes,
    probes,
    effects: steps.length,
    seconds,
    effectsPerSecond: ratio(steps.length, seconds),
    effectsPerRun: { intended: stated?.fit.effectsPerRun ?? null, drawn: ratio(steps.length, arriving.length) },
    childrenPerRun: { intended: stated?.fit.childrenPerRun ?? null, drawn: ratio(children, arriving.length) },
    ...refusalsOf(steps, stated),
    ...laterOf(arriving, steps, trace, stated),
    kinds: STEP_KINDS.map((kind) => {
      const count = steps.filter((step) => (step.kind ?? 'call') === kind).length;
      return { kind, ...shareFit(stated?.fit.kinds[kind], count, steps.length) };
    }),
    capabilities: capabilityRows(steps, stated),
    tenants: tenantRows(ordinary, steps.length),
  };
}

/** What a trace was drawn from. */
interface Stated {
  readonly mix: Mix;
  readonly fit: IntendedFit;
}

/** Null for a trace that was not drawn: an incident has no mix. */
function statedBy({ header }: Trace): Stated | null {
  return header.generator.name === 'production' ? { mix: MIX, fit: intendedFit() } : null;
}

function refusalsOf(
  steps: readonly PlanStep[],
  stated: Stated | null,
): Pick<TraceFit, 'refused' | 'refusedTwice' | 'retryDelay' | 'attached'> {
  const refused = steps.filter(({ refusals }) => refusals !== undefined);
  const spawns = steps.filter(({ kind }) => kind === 'spawn');
  const twice = refused.filter(({ refusals = 0 }) => refusals > 1).length;
  const attached = spawns.filter((step) => step.attached === true).length;
  return {
    refused: shareFit(stated?.fit.refused, refused.length, steps.length),
    refusedTwice: shareFit(stated?.mix.refusals.twice, twice, refused.length),
    retryDelay: timesFit(stated?.mix.refusals.backoff, refused.map(delayOf)),
    attached: shareFit(stated?.mix.children.attached, attached, spawns.length),
  };
}

function laterOf(
  arriving: readonly TraceRun[],
  steps: readonly PlanStep[],
  { header }: Trace,
  stated: Stated | null,
): Pick<TraceFit, 'scheduled' | 'scheduleLead' | 'timerLead' | 'timersBeyondHold'> {
  const scheduled = arriving.flatMap(({ startAfterMs }) => (startAfterMs === undefined ? [] : [startAfterMs]));
  const leads = steps.filter(({ kind }) => kind === 'timer').map(delayOf);
  const { holdMs } = header.generator;
  return {
    scheduled: shareFit(stated?.mix.scheduled.ofRuns, scheduled.length, arriving.length),
    scheduleLead: timesFit(stated?.mix.scheduled.lead, scheduled),
    timerLead: timesFit(stated?.mix.timers.lead, leads),
    timersBeyondHold: typeof holdMs === 'number' ? leads.filter((lead) => lead > holdMs).length : 0,
  };
}

function delayOf({ delayMs = 0 }: PlanStep): number {
  return delayMs;
}

function capabilityRows(steps: readonly PlanStep[], stated: Stated | null): readonly CapabilityRow[] {
  const rows = [...groupBy(steps, ({ capability }) => capability)].map(([capability, own]): CapabilityRow => {
    const known = CAPABILITY_NAMES.find((name) => name === capability);
    const times = known === undefined ? undefined : stated?.mix.service[known];
    const service = timesFit(
      times,
      own.map(({ serviceMs }) => serviceMs),
    );
    const journalFree = own.filter(({ journal }) => !journal).length;
    const intended = known === undefined ? undefined : stated?.fit.capabilities[known];
    return { capability, ...shareFit(intended, own.length, steps.length), journalFree, service };
  });
  return rows.toSorted((one, other) => other.count - one.count || (one.capability < other.capability ? -1 : 1));
}

function tenantRows(runs: readonly TraceRun[], total: number): readonly TenantRow[] {
  const rows = [...groupBy(runs, ({ tenant }) => tenant)].map(([tenant, own]): TenantRow => {
    const effects = own.reduce((sum, { plan }) => sum + plan.length, 0);
    return { tenant, runs: own.length, effects, share: ratio(effects, total) };
  });
  return rows.toSorted((one, other) => other.effects - one.effects);
}

function shareFit(intended: number | undefined, count: number, total: number): ShareFit {
  return { intended: intended ?? null, share: ratio(count, total), count };
}

function timesFit(times: Times | undefined, drawn: readonly number[]): TimesFit {
  const sorted = drawn.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return {
    count: sorted.length,
    intended: times === undefined ? null : statedPercentiles(times),
    drawn: sorted.length === 0 ? null : { p50: at(0.5), p90: at(0.9), p99: at(0.99), longest: sorted.at(-1) ?? 0 },
  };
}

function statedPercentiles(times: Times): Percentiles {
  const stated = (part: 0.5 | 0.9 | 0.99): number => statedQuantileMs(times, part);
  return { p50: stated(0.5), p90: stated(0.9), p99: stated(0.99) };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
