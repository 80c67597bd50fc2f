import { CALL_CAPABILITIES } from './capabilities.ts';
import type { Capability } from './capabilities.ts';
import { MIX } from './mix.ts';
import type { PlanKind } from './mix.ts';
import { SPAWN_CAPABILITY } from './trace.ts';
import type { StepKind } from './trace.ts';

/** What the mix comes to on average, by arithmetic from its parameters alone. Shares are of all planned effects, 0 to 1. */
export interface IntendedFit {
  readonly effectsPerRun: number;
  readonly capabilities: Readonly<Record<Capability, number>>;
  readonly kinds: Readonly<Record<StepKind, number>>;
  readonly refused: number;
  readonly childrenPerRun: number;
}

/** Steps per arriving run, by capability. */
type Steps = Record<Capability, number>;

/** The intended fit of the profile `production`. */
export function intendedFit(): IntendedFit {
  const steps: Steps = {
    ...Object.fromEntries(CALL_CAPABILITIES.map((name) => [name, 0])),
    [SPAWN_CAPABILITY]: 0,
  } as Steps;
  for (const kind of MIX.plans) add(steps, kind, kind.share, 0);
  const total = Object.values(steps).reduce((sum, one) => sum + one, 0);
  const share = (name: Capability): number => steps[name] / total;
  const timer = (share('write/mail') + share('write/crm')) * MIX.timers.ofWrites;
  const kinds = {
    stream: share('model/chat') * MIX.streams,
    webhook: share('webhook/notify'),
    timer,
    spawn: share(SPAWN_CAPABILITY),
  };
  const call = 1 - kinds.stream - kinds.webhook - kinds.timer - kinds.spawn;
  return {
    effectsPerRun: total,
    capabilities: Object.fromEntries(Object.entries(steps).map(([name, count]) => [name, count / total])) as Steps,
    kinds: { call, ...kinds },
    refused: (1 - kinds.timer - kinds.spawn) * MIX.refusals.ofSteps,
    childrenPerRun: steps[SPAWN_CAPABILITY],
  };
}

/** Adds the steps of so many runs of one kind, with their descendants. A plan's first step never starts a child. */
function add(steps: Steps, { steps: length, capabilities }: PlanKind, runs: number, depth: number): void {
  const mean = (length.min + length.max) / 2;
  const spawns = (mean - 1) * (MIX.children.ofSteps[depth] ?? 0);
  for (const name of CALL_CAPABILITIES) steps[name] += runs * (mean - spawns) * capabilities[name];
  steps[SPAWN_CAPABILITY] += runs * spawns;
  if (spawns > 0) add(steps, MIX.child, runs * spawns, depth + 1);
}
