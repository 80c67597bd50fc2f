import type { TraceRun } from './trace.ts';

/** Whether a run is traffic: not there for a stop, and let loose by nobody. */
export function isOrdinary({ primed, probe, runaway }: TraceRun): boolean {
  return primed !== true && probe !== true && runaway !== true;
}

/** Planned effects of these runs. */
export function effectsOfRuns(runs: readonly TraceRun[]): number {
  return runs.reduce((sum, { plan }) => sum + plan.length, 0);
}

/**
 * Effects that can have arrived so long after T0 if nothing holds anybody up: each step follows when the one before it was
 * served. A child counts from when its parent is due, and what falls due later as if it did not, so that it is never too few.
 */
export function effectsWithin(runs: readonly TraceRun[], untilMs: number): number {
  let effects = 0;
  for (const { dueMs, startAfterMs = 0, plan } of runs) {
    let atMs = dueMs + startAfterMs;
    for (const { serviceMs } of plan) {
      if (atMs >= untilMs) break;
      effects += 1;
      atMs += serviceMs;
    }
  }
  return effects;
}
