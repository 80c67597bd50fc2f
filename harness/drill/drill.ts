import type { HistoryEvent } from '../history/event.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Trace } from '../traffic/trace.ts';

/** Everything a checker may look at: what was planned and what happened. It comes from a bundle as well as from a live run. */
export interface DrillRecord {
  /** With every selector resolved. */
  readonly scenario: Scenario;
  readonly trace: Trace;
  /** In order of `seq`; starts with the `drill` event. */
  readonly events: readonly HistoryEvent[];
  /** False when the history's tail is missing (a killed harness). */
  readonly complete: boolean;
}

/** Details of DESIGN §10 that the drill's arithmetic needs. */
export const DRILL_TIMES = {
  /** `when: exposed` gives up after this. */
  exposedGiveUpMs: 10_000,
  /** `after: effect n of …` gives up after this. */
  effectGiveUpMs: 30_000,
  /** All workers are ready within this, or the drill ends as an error. */
  readyMs: 20_000,
  /** How long a governed call may take to end once its signal fired. */
  abortMs: 300,
  /** Grace of an unverified worker before it aborts. */
  unverifiedGraceMs: 300,
  /** A worker ends within this of SIGTERM. */
  byeMs: 5_000,
  /** An interval wider than this that holds a boundary makes a count inconclusive. */
  wideIntervalMs: 100,
} as const;
