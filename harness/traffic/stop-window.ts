import type { Scenario } from '../scenario/scenario.ts';

/**
 * The earliest that the first stop can come, milliseconds after T0, by the timeline: after the steady state, and after
 * what is anchored before it. Waiting for exposure or for an effect takes no time here.
 */
export function firstStopMs({ timeline, steadyState }: Scenario): number {
  let atMs = steadyState.forMs;
  let previousMs = 0;
  for (const { kind, when } of timeline) {
    if (when.kind === 'start') atMs = Math.max(atMs, when.offsetMs);
    if (when.kind === 'previous') atMs = Math.max(atMs, previousMs + when.offsetMs);
    if (kind === 'flip') break;
    previousMs = atMs;
  }
  return atMs;
}

/** A stretch of time, milliseconds after T0. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * When something has to fall due to meet the first stop's hold: a while after the stop, since exposure may take a second
 * or two, and well before a short hold ends.
 */
export function dueInHold(scenario: Scenario): Stretch {
  const stopMs = firstStopMs(scenario);
  const { holdMs } = scenario;
  return {
    fromMs: stopMs + Math.min(2_500, 1_000 + holdMs / 4),
    toMs: stopMs + Math.min(4_000, 1_000 + (holdMs * 3) / 4),
  };
}

/** The n-th of `count` instants spread evenly over a stretch, in whole milliseconds. */
export function spreadOver({ fromMs, toMs }: Stretch, nth: number, count: number): number {
  return Math.floor(fromMs + ((toMs - fromMs) * (nth + 0.5)) / count);
}
