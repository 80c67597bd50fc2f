import { DRILL_TIMES } from '../drill/drill.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { MAX_SERVICE_MS } from './mix.ts';
import type { TraceRun } from './trace.ts';

/** How long the world holds a primed run's held call: past the last moment at which a stop may still be taken to work. */
export function heldMs({ expect }: Scenario): number {
  const { connectedMs, cutMs } = expect.timeToStop;
  return DRILL_TIMES.exposedGiveUpMs + 3 * Math.max(connectedMs, cutMs) + 2_000;
}

/** Whether a step is there to be caught in the act: a primed run's call that is served for longer than any ordinary one. */
export function isHeld({ primed, plan }: TraceRun, step: number | null): boolean {
  return primed === true && step !== null && (plan[step]?.serviceMs ?? 0) > MAX_SERVICE_MS;
}

/** Whether a run begins with a held call: it is worth giving to a worker that has none. */
export function beginsHeld(run: TraceRun): boolean {
  return isHeld(run, 0);
}
