import type { Scope, StopMode } from '../switch.ts';
import type { Asker, Head } from './store.ts';

/** One life of a worker, as it says itself. */
export interface WorkerIdentity {
  /** One life of the process; unique for ever. */
  readonly incarnation: string;
  /** The same through all lives of the process. */
  readonly worker: string;
  /** Which part of the declared inventory it is of. */
  readonly pool: string;
  /** Of the program that it runs; null when it does not say. */
  readonly version: string | null;
  readonly leaseMs: number;
  /** The longest deadline that any of its calls may have, milliseconds. */
  readonly longestDeadlineMs: number;
}

/** What a worker knows of itself, all of it read in one tick. */
export interface WorkerReport {
  /** Where its registry is (`appliedThrough`). */
  readonly head: Head;
  /** Engagements with calls in scope that are still open, those past their deadline included; null: too many to name. */
  readonly busy: readonly string[] | null;
  /** Calls that are out, whatever they are. */
  readonly inFlight: number;
  /** Revision of the newest canary that its own gate refused; null before the first. */
  readonly canary: number | null;
}

/** The worker's half: it writes about itself, and about nobody else. */
export interface WorkerReports {
  /** Safe to call again. @throws KilldrillError `WORKER_TAKEN` when another process has registered this incarnation. */
  register(identity: WorkerIdentity): Promise<void>;
  /** `number` grows with each report; an older one that arrives late changes nothing. False: register again first. */
  report(incarnation: string, number: number, report: WorkerReport): Promise<boolean>;
  /** It ends with nothing open: nobody has to wait for it any more. */
  deregister(incarnation: string): Promise<void>;
}

/** Who should be there. */
export interface Inventory {
  /** How many workers each pool has, by the pool's name. */
  readonly pools: Readonly<Record<string, number>>;
  /** Nothing else can reach what these workers reach: once all of them have confirmed, nobody is left to wait for. */
  readonly closed: boolean;
}

/** A worker as the store has it. */
export interface RegisteredWorker extends WorkerIdentity {
  readonly registeredAgoMs: number;
  /** Null before its first report. */
  readonly reportedAgoMs: number | null;
  /** Since the store let in its newest intent; null before the first. */
  readonly admittedAgoMs: number | null;
  /** Null without a report, or when it stands on a history that is not this store's. */
  readonly appliedThrough: number | null;
  /** As in its report. */
  readonly busy: readonly string[] | null;
  readonly inFlight: number;
  readonly canary: { readonly revision: number; readonly agoMs: number } | null;
}

/** A worker that registered under another namespace, and said something within the last minute. */
export interface StrayWorker {
  readonly worker: string;
  readonly incarnation: string;
  readonly pool: string;
  readonly namespace: string;
}

/** An intent whose call may still be doing something: nobody recorded an outcome, or its worker gave it up at its deadline. */
export interface OpenIntent {
  readonly incarnation: string;
  readonly seq: number;
  readonly run: string;
  readonly capability: string;
  readonly deadlineMs: number;
  /** By the store's clock. */
  readonly isPastDeadline: boolean;
}

export interface FleetFacts {
  readonly head: Head;
  /** Lives that have not ended, as far as the store knows. */
  readonly workers: readonly RegisteredWorker[];
  /** Null until an operator declares one. */
  readonly inventory: Inventory | null;
  readonly elsewhere: readonly StrayWorker[];
}

/** All that a stop is judged by. */
export interface StopFacts extends FleetFacts {
  readonly stop: {
    readonly id: string;
    readonly revision: number;
    readonly scope: Scope;
    readonly target: string;
    readonly mode: StopMode;
    /** What was let in before it passes for a while, by each worker's own clock. */
    readonly drains: boolean;
    readonly closedRevision: number | null;
  };
  /** In scope, of every incarnation that has not confirmed, registered or not; at most 1,000 are named. */
  readonly openIntents: readonly OpenIntent[];
  /** Incarnations whose journals are still being looked through: they may hold more. Each look goes on where the last one ended. */
  readonly unread: readonly string[];
}

/** The observer's half; its login role needs `killdrill_flipper`. */
export interface EffectivenessStore {
  fleet(): Promise<FleetFacts>;
  /** Null when no stop of this id is in the store. */
  stopFacts(id: string): Promise<StopFacts | null>;
  /** Goes on record, also when it is refused. @throws KilldrillError `INVENTORY_INVALID` */
  declareInventory(inventory: Inventory, asker: Asker): Promise<void>;
  /**
   * An operator answers for an intent that nobody has seen end; false when it has an outcome anyway. On record.
   *
   * @throws KilldrillError `INTENT_UNKNOWN`, `INTENT_NOT_DUE` before its deadline.
   */
  closeIntent(intent: { readonly incarnation: string; readonly seq: number }, asker: Asker): Promise<boolean>;
}
