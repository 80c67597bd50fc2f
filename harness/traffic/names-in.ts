import type { Names } from './names.ts';
import type { TraceRun } from './trace.ts';

/** Who takes part in these runs, and what they call: most planned effects first; among equals the name that sorts first. */
export function namesIn(runs: readonly TraceRun[]): Names & { readonly capabilities: readonly string[] } {
  return {
    tenants: ranked(runs, ({ tenant }) => tenant),
    features: ranked(runs, ({ feature }) => feature),
    agents: ranked(runs, ({ agent }) => agent),
    capabilities: byCount(runs.flatMap(({ plan }) => plan.map(({ capability }) => [capability, 1] as const))),
  };
}

function ranked(runs: readonly TraceRun[], nameOf: (run: TraceRun) => string): readonly string[] {
  return byCount(runs.map((run) => [nameOf(run), run.plan.length] as const));
}

function byCount(counted: readonly (readonly [string, number])[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const [name, count] of counted) counts.set(name, (counts.get(name) ?? 0) + count);
  return [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}
