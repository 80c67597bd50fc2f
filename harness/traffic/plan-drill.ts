import { KilldrillError } from '../../src/errors.ts';
import type { Switch } from '../../src/switch.ts';
import { drillEndMs, plannedEffects } from '../scenario/drill-end.ts';
import { LIMITS } from '../scenario/limits.ts';
import { onTrace } from '../scenario/given-trace.ts';
import type { DrawnTraffic, FlipEntry, GivenTraffic, Scenario } from '../scenario/scenario.ts';
import { drawBaseTraffic } from './base-traffic.ts';
import { rootOf } from './family-plan.ts';
import { heldMs } from './held.ts';
import { movedIntoScope, planIsInScope } from './in-scope.ts';
import { MIX } from './mix.ts';
import { namesIn } from './names-in.ts';
import { drawNames } from './names.ts';
import type { Names } from './names.ts';
import { isOrdinary } from './ordinary.ts';
import { drawPrimedRuns, primedPerWorker } from './primed-runs.ts';
import { PROBES_PER_STOP, drawProbeRuns } from './probe-runs.ts';
import { makePrng } from './prng.ts';
import type { Prng } from './prng.ts';
import { drawRunawayRuns } from './runaway-runs.ts';
import { resolveSelectors } from './resolve-selectors.ts';
import { TRACE_FILE } from './trace-file.ts';
import { TRACE_VERSION } from './trace.ts';
import type { Trace, TraceHeader, TraceRun } from './trace.ts';

/** A drill ready to be run: the scenario with its selectors resolved, and every run that will arrive. */
export interface DrillPlan {
  readonly scenario: Scenario;
  readonly trace: Trace;
}

/**
 * Makes a drill's trace from the scenario's seed, or from the trace that it is given, and resolves the scenario from the
 * trace. The same scenario gives the same plan, and a resolved one gives the plan that it came from.
 *
 * @throws KilldrillError `TRACE_TOO_LARGE` for more than `LIMITS.traceEffects` effects
 */
export function planDrill(scenario: Scenario): DrillPlan {
  const { traffic } = scenario;
  return traffic.kind === 'given' ? planGiven(scenario, traffic) : planDrawn(scenario, traffic);
}

function planDrawn(scenario: Scenario, traffic: DrawnTraffic): DrillPlan {
  refuseTooLarge(scenario, traffic);
  const prng = makePrng(scenario.seed);
  const names = drawNames(scenario, traffic, prng.split('names'));
  const base = drawBaseTraffic(scenario, traffic, names, prng.split('base'));
  const resolved = resolveSelectors(scenario, base);
  const first = firstStopOf(resolved);
  const early = first === null ? base : withEarlyWorkInScope(resolved, first, base);
  return { scenario: resolved, trace: traceOf(resolved, traffic, withPlanted(resolved, early, names, prng)) };
}

/** The runs of the trace stay as they are; what a scenario with `primed` lacks for its stops is added. */
function planGiven(scenario: Scenario, { trace, primed }: GivenTraffic): DrillPlan {
  const ordinary = trace.runs.filter(isOrdinary);
  const resolved = resolveSelectors(scenario, ordinary);
  if (!primed) return { scenario: onTrace(resolved, trace, TRACE_FILE), trace };
  const runs = withPlanted(resolved, ordinary, namesIn(ordinary), makePrng(scenario.seed));
  const generator = { ...trace.header.generator, ...plantedOf(resolved), runs: runs.length };
  const whole: Trace = { header: { ...trace.header, generator }, runs };
  return { scenario: onTrace(resolved, whole, TRACE_FILE), trace: whole };
}

function refuseTooLarge(scenario: Scenario, traffic: DrawnTraffic): void {
  const effects = plannedEffects(scenario, traffic);
  if (effects <= LIMITS.traceEffects) return;
  const sentence = `${scenario.name} plans ${effects} effects, expected at most ${LIMITS.traceEffects}`;
  throw new KilldrillError('TRACE_TOO_LARGE', `${sentence}; lower traffic.effects or shorten the drill`);
}

function firstStopOf({ timeline }: Scenario): FlipEntry | null {
  return timeline.find((entry) => entry.kind === 'flip') ?? null;
}

/** The runs together with those that are there for the stops. In order of `dueMs`, each parent before its children. */
function withPlanted(scenario: Scenario, base: readonly TraceRun[], names: Names, prng: Prng): readonly TraceRun[] {
  const first = firstStopOf(scenario);
  if (first === null || base.length === 0) return base;
  const primed = drawPrimedRuns(scenario, first, names, prng.split('primed'));
  const ordinary = withoutIds(base, idsOf(primed));
  const probes = drawProbeRuns(scenario, names, prng.split('probes'), idsOf([...primed, ...ordinary]));
  const taken = idsOf([...probes, ...primed, ...ordinary]);
  const runaways = drawRunawayRuns(scenario, names, prng.split('runaways'), taken);
  return [...probes, ...runaways, ...ordinary, ...primed].toSorted((one, other) => one.dueMs - other.dueMs);
}

function idsOf(runs: readonly TraceRun[]): ReadonlySet<string> {
  return new Set(runs.map(({ run }) => run));
}

/** The runs without the families that have one of these ids. */
function withoutIds(runs: readonly TraceRun[], ids: ReadonlySet<string>): readonly TraceRun[] {
  const families = new Set(runs.filter(({ run }) => ids.has(run)).map(rootOf));
  return families.size === 0 ? runs : runs.filter((run) => !families.has(rootOf(run)));
}

/**
 * The runs, with at least one ordinary run per worker in scope during the steady state: before a stop, its scope must be
 * seen at work. Runs that are missing are taken from those out of scope, evenly, and their families with them.
 */
function withEarlyWorkInScope(scenario: Scenario, on: Switch, runs: readonly TraceRun[]): readonly TraceRun[] {
  if (on.scope === 'run') return runs;
  const early = runs.filter((run) => isAtWorkBy(scenario.steadyState.forMs, run));
  const outside = early.filter((run) => !planIsInScope(on, run));
  const wanted = Math.min(outside.length, scenario.fleet.workers - (early.length - outside.length));
  if (wanted <= 0) return runs;
  const chosen = Array.from({ length: wanted }, (_, i) => outside[Math.floor((i * outside.length) / wanted)]?.run);
  const moved = new Set(chosen);
  return runs.map((run) => {
    if (!moved.has(rootOf(run))) return run;
    return run.parent === undefined || binds(on) ? movedIntoScope(on, run) : run;
  });
}

function isAtWorkBy(atMs: number, { dueMs, parent, startAfterMs = 0 }: TraceRun): boolean {
  return parent === undefined && dueMs + startAfterMs < atMs;
}

/** A child shares these with its parent. */
function binds({ scope }: Switch): boolean {
  return scope === 'tenant' || scope === 'feature';
}

function traceOf(scenario: Scenario, traffic: DrawnTraffic, runs: readonly TraceRun[]): Trace {
  const { fleet, seed } = scenario;
  const generator: TraceHeader['generator'] = {
    name: traffic.profile,
    version: 2,
    effectsPerSecond: traffic.effectsPerSecond,
    endMs: drillEndMs(scenario),
    tenants: traffic.tenants,
    workers: fleet.workers,
    agentsPerWorker: fleet.agentsPerWorker,
    ...plantedOf(scenario),
    mix: MIX,
    runs: runs.length,
  };
  return { header: { version: TRACE_VERSION, seed, generator }, runs };
}

/** What a trace's header says of the runs that are there for the stops. */
function plantedOf(scenario: Scenario): TraceHeader['generator'] {
  return {
    holdMs: scenario.holdMs,
    heldRunsPerWorker: primedPerWorker(scenario),
    heldMs: heldMs(scenario),
    probesPerStop: PROBES_PER_STOP,
  };
}
