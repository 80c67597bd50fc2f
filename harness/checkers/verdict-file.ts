import type { PropertyFinding } from './run-checkers.ts';
import type { Regime } from './regime.ts';
import type { StopState } from './time-to-stop.ts';

export const VERDICT_VERSION = 1;

/**
 * Exit codes of a drill by verdict; 3 (bad usage or scenario), 130 and 143 (interrupted) never come from a verdict.
 */
export const EXIT_CODES = { pass: 0, fail: 1, inconclusive: 2, error: 4 } as const;

/**
 * `verdict.json`: what a drill showed. Additions keep the version, anything else raises it. Instants (names ending in
 * `At` or `AtMs`) are milliseconds since T0, when traffic began; durations are milliseconds. A null says "not known" or
 * "does not apply", never zero.
 */
export interface VerdictFile {
  readonly version: typeof VERDICT_VERSION;
  /** The scenario's name. */
  readonly scenario: string;
  readonly seed: number;
  /** Name of the environment that it ran in. */
  readonly environment: string;
  /** fail > error > inconclusive > pass over properties and expectations; when no property applies, inconclusive. */
  readonly verdict: keyof typeof EXIT_CODES;
  readonly exitCode: (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
  /** Every acknowledged flip, by revision. */
  readonly flips: readonly FlipVerdict[];
  /** One for each selected property. */
  readonly properties: readonly PropertyFinding[];
  /** What the scenario expects besides properties, and whether the drill went as planned. */
  readonly expectations: readonly PropertyFinding[];
  /** The first of the worst among properties and expectations; null when all is well. */
  readonly worst: PropertyFinding | null;
  readonly milestones: readonly Milestone[];
  /** In-scope arrivals around each stop. */
  readonly effects: readonly EffectTally[];
  /** What this drill does not establish, in sentences. */
  readonly notes: readonly string[];
}

export interface FlipVerdict {
  readonly revision: number;
  readonly kind: 'stop' | 'release';
  readonly scope: string;
  readonly target: string;
  /** Null for a release. */
  readonly mode: string | null;
  readonly requestedAt: number;
  /** By then it was durable. */
  readonly durableAt: number;
  /** Null for a release, as are the counts. */
  readonly timeToStop: TimeToStop | null;
  /** In-scope arrivals whose lower end is after the flip was durable. */
  readonly effectsAfterFlip: number | null;
  /** In-scope arrivals whose lower end is after their worker's budget, counted from the request. */
  readonly effectsAfterBudget: number | null;
  /** At most one for each call already started by a worker that was suspended across the flip; in neither count above. */
  readonly suspendedEffects: number | null;
  /** In-scope intents after the stop by the store's order; null when the journal was not read. */
  readonly intentsAfterStop: number | null;
  /** What became of the queue in scope; null when it was not witnessed. Not in verdicts before killdrill had a queue. */
  readonly queue: QueueSnapshots | null;
}

/** The tasks in scope of a stop that had not ended when it came: each snapshot counts the same ones. */
export interface QueueSnapshots {
  /** T+0, by the store's own order. */
  readonly atStop: QueueCounts;
  /** 60 s later by the store's clock; null when the stop did not last that long. */
  readonly at60s: QueueCounts | null;
  /** Why there is none; null when there is one. */
  readonly at60sMissing: string | null;
  /** After the drill. */
  readonly atEnd: QueueCounts;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly running: number;
  readonly parked: number;
  readonly discarded: number;
  readonly done: number;
  readonly failed: number;
  readonly unknown: number;
  /** Not in the queue any more: lost. */
  readonly gone: number;
}

export interface TimeToStop {
  readonly workers: readonly {
    readonly worker: string;
    /** `censored`: a call in scope was still open when the stop ended; `died`: its process ended first. */
    readonly state: StopState;
    /** From the request to the last in-scope arrival or end; a lower bound when censored or died; null when not exposed. */
    readonly ms: number | null;
    readonly regime: Regime;
  }[];
  /** The longest of the workers that stopped. */
  readonly maxMs: number | null;
  /** How many workers stopped. */
  readonly n: number;
}

export interface EffectTally {
  readonly revision: number;
  readonly before: number;
  readonly during: number;
  readonly after: number;
  /** Arrivals whose interval holds a boundary. */
  readonly straddling: number;
}

export interface Milestone {
  readonly name: string;
  readonly atMs: number;
}

/** What the judge says: the content of `verdict.json`. */
export type Judgement = VerdictFile;
