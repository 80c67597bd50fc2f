import type { Trace } from './trace.ts';

/** How a trace came out, as rows for tables. Primed runs are counted apart and left out of everything else. */
export interface TraceFit {
  readonly runs: number;
  readonly primedRuns: number;
  readonly effects: number;
  /** From T0 to the last run's arrival. */
  readonly seconds: number;
  readonly effectsPerSecond: number;
  readonly effectsPerRun: number;
  /** Most effects first. */
  readonly capabilities: readonly CapabilityRow[];
  /** Most effects first. */
  readonly tenants: readonly TenantRow[];
}

export interface CapabilityRow {
  readonly capability: string;
  readonly effects: number;
  /** Of all effects, 0 to 1. */
  readonly share: number;
  readonly journalFree: number;
  readonly medianServiceMs: number;
  readonly longestServiceMs: number;
}

export interface TenantRow {
  readonly tenant: string;
  readonly runs: number;
  readonly effects: number;
  readonly share: number;
}

/** Counts a trace. */
export function describeTrace(trace: Trace): TraceFit {
  const runs = trace.runs.filter(({ primed }) => primed !== true);
  const steps = runs.flatMap(({ plan }) => plan);
  const seconds = (runs.at(-1)?.dueMs ?? 0) / 1_000;
  const capabilities = [...groupBy(steps, ({ capability }) => capability)].map(([capability, own]): CapabilityRow => {
    const service = own.map(({ serviceMs }) => serviceMs).toSorted((one, other) => one - other);
    return {
      capability,
      effects: own.length,
      share: ratio(own.length, steps.length),
      journalFree: own.filter(({ journal }) => !journal).length,
      medianServiceMs: service[service.length >> 1] ?? 0,
      longestServiceMs: service.at(-1) ?? 0,
    };
  });
  const tenants = [...groupBy(runs, ({ tenant }) => tenant)].map(([tenant, own]): TenantRow => {
    const effects = own.reduce((sum, { plan }) => sum + plan.length, 0);
    return { tenant, runs: own.length, effects, share: ratio(effects, steps.length) };
  });
  return {
    runs: runs.length,
    primedRuns: trace.runs.length - runs.length,
    effects: steps.length,
    seconds,
    effectsPerSecond: ratio(steps.length, seconds),
    effectsPerRun: ratio(steps.length, runs.length),
    capabilities: capabilities.toSorted((one, other) => other.effects - one.effects),
    tenants: tenants.toSorted((one, other) => other.effects - one.effects),
  };
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
