import type { StopMode, Switch } from '../switch.ts';
import type { Head } from './store.ts';

/** What a stop would hit, counted in one snapshot. */
export interface StopHits {
  /** Runs with a task that has not ended, or a call in flight. */
  readonly runs: number;
  /** Incarnations that have one of these in hand; every worker is told of the stop all the same. */
  readonly workers: number;
  /** Calls that may be under way: admitted within the last ten minutes, without an outcome, within their deadline. */
  readonly inFlight: number;
  readonly writesInFlight: number;
  /** Calls without an outcome whose deadline has passed: no stop reaches them, and nobody knows whether they happened. */
  readonly overdue: number;
  /** Tasks that are claimed. */
  readonly running: number;
  /** Tasks that wait, timers and retries among them. */
  readonly queued: number;
  /** Tasks that another stop holds already. */
  readonly parked: number;
  readonly timers: number;
  readonly retries: number;
}

export interface NarrowerStop extends Switch {
  /** Tasks that have not ended and calls in flight that it would hit. */
  readonly items: number;
  readonly hits: StopHits;
}

export interface StopPreview {
  readonly head: Head;
  readonly hits: StopHits;
  /** As of a narrower stop. */
  readonly items: number;
  /** What it covers and lets pass, since it is critical. */
  readonly passes: number;
  /** Engagements that are open on this switch, or on everything. */
  readonly alreadyOpen: number;
  /** Switches inside this one, the smallest that is enough first: those that hit most and, among equals, the narrowest. */
  readonly narrower: readonly NarrowerStop[];
}

/** Looks at what a stop would hit. Takes no lock that a stop or an intent waits for. */
export interface PreviewStore {
  preview(on: Switch, mode: StopMode): Promise<StopPreview>;
}
