import { DRILL_TIMES } from '../drill/drill.ts';
import type { FlipEntry, Scenario } from '../scenario/scenario.ts';
import { CAPABILITIES } from './capabilities.ts';
import { wholeBetween } from './distributions.ts';
import { coveredCapability, movedIntoScope } from './in-scope.ts';
import { drawStep } from './mix.ts';
import type { Names } from './names.ts';
import type { Prng } from './prng.ts';
import { FIRST_PRIMED_RUN } from './resolve-selectors.ts';
import type { PlanStep, TraceRun } from './trace.ts';

/** Primed runs become due in this part of the steady state: late enough to be open at the stop, early enough to be held. */
const DUE = { from: 0.5, to: 0.8 } as const;

/** How many primed runs a drill has for each worker: a quarter of its agents, at least 2 and at most 4. */
export function primedPerWorker({ fleet }: Scenario): number {
  return Math.min(4, Math.max(2, Math.floor(fleet.agentsPerWorker / 4)));
}

/** How long the world holds a primed run's first call: past the last moment at which a stop may still be taken to work. */
export function heldMs({ expect }: Scenario): number {
  const { connectedMs, cutMs } = expect.timeToStop;
  return DRILL_TIMES.exposedGiveUpMs + 3 * Math.max(connectedMs, cutMs) + 2_000;
}

/**
 * Runs that are there to be caught by the first stop, each in its scope: a held call, then two ordinary steps. By turns
 * of the workers' agents; one run only if the stop is of a run.
 *
 * @param flip the first flip of the timeline, its target resolved
 */
export function drawPrimedRuns(scenario: Scenario, flip: FlipEntry, names: Names, prng: Prng): readonly TraceRun[] {
  const count = flip.scope === 'run' ? 1 : primedPerWorker(scenario) * scenario.fleet.workers;
  const agentOffset = wholeBetween(prng, 0, scenario.fleet.agentsPerWorker - 1) * scenario.fleet.workers;
  return Array.from({ length: count }, (_, i) => {
    const part = DUE.from + ((DUE.to - DUE.from) * (i + 0.5)) / count;
    const run: TraceRun = {
      dueMs: Math.floor(scenario.steadyState.forMs * part),
      run: flip.scope === 'run' ? flip.target : `${FIRST_PRIMED_RUN.slice(0, -3)}${String(i + 1).padStart(3, '0')}`,
      tenant: pick(names.tenants, wholeBetween(prng, 0, names.tenants.length - 1)),
      feature: pick(names.features, wholeBetween(prng, 0, names.features.length - 1)),
      agent: pick(names.agents, agentOffset + i),
      primed: true,
      plan: [heldCall(scenario, flip), drawStep(prng, 'tool/search'), drawStep(prng, 'write/mail')],
    };
    // Its first step has the right capability already.
    return flip.scope === 'capability' ? run : movedIntoScope(flip, run);
  });
}

function heldCall(scenario: Scenario, flip: FlipEntry): PlanStep {
  const capability = flip.scope === 'capability' ? coveredCapability(flip.target) : 'write/crm';
  const serviceMs = heldMs(scenario);
  return { capability, access: CAPABILITIES[capability], journal: true, serviceMs, deadlineMs: serviceMs + 5_000 };
}

function pick(names: readonly string[], index: number): string {
  return names[index % names.length] ?? '';
}
