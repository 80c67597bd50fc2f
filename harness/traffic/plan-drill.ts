import { KilldrillError } from '../../src/errors.ts';
import type { Switch } from '../../src/switch.ts';
import { drillEndMs, plannedEffects } from '../scenario/drill-end.ts';
import { LIMITS } from '../scenario/limits.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { drawBaseTraffic } from './base-traffic.ts';
import { movedIntoScope, planIsInScope } from './in-scope.ts';
import { MIX } from './mix.ts';
import { drawNames } from './names.ts';
import { drawPrimedRuns, heldMs, primedPerWorker } from './primed-runs.ts';
import { makePrng } from './prng.ts';
import { resolveSelectors } from './resolve-selectors.ts';
import { TRACE_VERSION } from './trace.ts';
import type { Trace, TraceHeader, TraceRun } from './trace.ts';

/** A drill ready to be run: the scenario with its selectors resolved, and every run that will arrive. */
export interface DrillPlan {
  readonly scenario: Scenario;
  readonly trace: Trace;
}

/**
 * Makes a drill's trace from the scenario's seed, and resolves the scenario from the trace. The same scenario gives the
 * same plan, and a resolved one gives the plan that it came from.
 *
 * @throws KilldrillError `TRACE_TOO_LARGE` for more than `LIMITS.traceEffects` effects
 */
export function planDrill(scenario: Scenario): DrillPlan {
  refuseTooLarge(scenario);
  const prng = makePrng(scenario.seed);
  const names = drawNames(scenario, prng.split('names'));
  const base = drawBaseTraffic(scenario, names, prng.split('base'));
  const resolved = resolveSelectors(scenario, base);
  const first = resolved.timeline.find((entry) => entry.kind === 'flip');
  if (first === undefined || base.length === 0) return { scenario: resolved, trace: traceOf(resolved, base) };
  const primed = drawPrimedRuns(resolved, first, names, prng.split('primed'));
  const ids = new Set(primed.map(({ run }) => run));
  const ordinary = withEarlyWorkInScope(resolved, first, base).filter(({ run }) => !ids.has(run));
  const runs = [...ordinary, ...primed].toSorted((one, other) => one.dueMs - other.dueMs);
  return { scenario: resolved, trace: traceOf(resolved, runs) };
}

function refuseTooLarge(scenario: Scenario): void {
  const effects = plannedEffects(scenario);
  if (effects <= LIMITS.traceEffects) return;
  const sentence = `${scenario.name} plans ${effects} effects, expected at most ${LIMITS.traceEffects}`;
  throw new KilldrillError('TRACE_TOO_LARGE', `${sentence}; lower traffic.effects or shorten the drill`);
}

/**
 * The runs, with at least one ordinary run per worker in scope during the steady state: before a stop, its scope must be
 * seen at work. Runs that are missing are taken from those out of scope, evenly.
 */
function withEarlyWorkInScope(scenario: Scenario, on: Switch, runs: readonly TraceRun[]): readonly TraceRun[] {
  if (on.scope === 'run') return runs;
  const early = runs.filter(({ dueMs }) => dueMs < scenario.steadyState.forMs);
  const outside = early.filter((run) => !planIsInScope(on, run));
  const wanted = Math.min(outside.length, scenario.fleet.workers - (early.length - outside.length));
  if (wanted <= 0) return runs;
  const moved = new Set(Array.from({ length: wanted }, (_, i) => outside[Math.floor((i * outside.length) / wanted)]));
  return runs.map((run) => (moved.has(run) ? movedIntoScope(on, run) : run));
}

function traceOf(scenario: Scenario, runs: readonly TraceRun[]): Trace {
  const { fleet, traffic, seed } = scenario;
  const generator: TraceHeader['generator'] = {
    name: traffic.profile,
    version: 1,
    effectsPerSecond: traffic.effectsPerSecond,
    endMs: drillEndMs(scenario),
    tenants: traffic.tenants,
    workers: fleet.workers,
    agentsPerWorker: fleet.agentsPerWorker,
    primedPerWorker: primedPerWorker(scenario),
    heldMs: heldMs(scenario),
    mix: MIX,
    runs: runs.length,
  };
  return { header: { version: TRACE_VERSION, seed, generator }, runs };
}
