import type { Flip } from '../switch.ts';

/**
 * The store as the domain needs it. Drivers (PostgreSQL, memory) implement these ports and pass one contract suite.
 * Every method takes a bounded time of its own driver's and rejects with a `KilldrillError` afterwards; none retries.
 */

/** Where the store's chain of flips ends. Two heads are the same history only if all three fields are equal. */
export interface Head {
  /** Changes when a store is restored from elsewhere. */
  readonly epoch: string;
  /** Number of flips in the namespace; 0 before the first. Gapless; commit order is revision order. */
  readonly revision: number;
  /** sha256 (hex) over the previous hash, the epoch, the revision and the flip's text; `''` at revision 0. */
  readonly hash: string;
}

/** One flip as the store has it. */
export interface FlipRecord extends Head {
  /** The flip's canonical text, verbatim as the taker gave it. */
  readonly text: string;
  /** Ed25519 over `text`, base64; null when unsigned. */
  readonly signature: string | null;
}

/** What every answer of a store carries; it is what a lease is renewed from. */
export interface StoreAnswer {
  readonly head: Head;
  /** Milliseconds since the store's server started, by its own account, when it answered. */
  readonly ageMs: number;
}

/** Everything that is open, and the head, read in one snapshot. */
export interface LoadAnswer extends StoreAnswer {
  readonly open: readonly FlipRecord[];
}

/** The flips after a head that the caller named; `diverged` when that head is no part of this store's history. */
export type FlipsAnswer = StoreAnswer &
  ({ readonly kind: 'flips'; readonly flips: readonly FlipRecord[] } | { readonly kind: 'diverged' });

/** Answer to a relayed stop: at which revision it was opened, and whether it still is. */
export type RelayAnswer = StoreAnswer & { readonly kind: 'open' | 'closed'; readonly revision: number };

/** The registry plane: how a process learns of flips. */
export interface FlipSource {
  load(): Promise<LoadAnswer>;
  flipsAfter(head: Head): Promise<FlipsAnswer>;
  /** Offers a stop that this process holds without a revision, verbatim; put-if-absent by id. A release is refused (`RELAY_REFUSED`). */
  relay(text: string, signature: string | null): Promise<RelayAnswer>;
  /**
   * Listens for flips as they are committed; a record arrives at most once per commit and may arrive in any order with
   * respect to `flipsAfter`. A null record says "something changed, fetch it". Rejects if listening could not be proven
   * by a notification of its own. `lost` is called once when the subscription has ended by itself.
   */
  listen(onFlip: (record: FlipRecord | null) => void, lost: (error: Error) => void): Promise<Subscription>;
}

export interface Subscription {
  close(): Promise<void>;
}

/** A claim on a task: every later write on behalf of the task must show it. */
export interface ClaimToken {
  readonly task: string;
  readonly token: string;
}

/** One effect that wants to be admitted. `seq` is unique within the incarnation, for ever. */
export interface Intent {
  readonly seq: number;
  readonly run: string;
  readonly tenant: string | null;
  readonly feature: string | null;
  readonly agent: string;
  readonly lineage: readonly string[];
  readonly capability: string;
  readonly access: 'read' | 'write';
  readonly idempotencyKey: string;
  /** How long the call may take once dispatched, milliseconds. */
  readonly deadlineMs: number;
  readonly claim: ClaimToken | null;
}

/** What the fence says to a batch. Only `admitted` let anything in. */
export type FenceAnswer = StoreAnswer &
  (
    | {
        readonly kind: 'admitted';
        /** `seq` of intents that were not inserted because their claim is no longer theirs. */
        readonly disowned: readonly number[];
      }
    /** The caller's head is a prefix: here are the flips in between; nothing was inserted. */
    | { readonly kind: 'stale'; readonly flips: readonly FlipRecord[] }
    | { readonly kind: 'diverged' }
    /** The store has not been up for long enough (H) to be trusted; nothing was inserted. */
    | { readonly kind: 'young' }
  );

/** A run that wants to be queued. */
export interface NewTask {
  readonly id: string;
  readonly kind: 'run';
  readonly run: string;
  readonly tenant: string | null;
  readonly feature: string | null;
  readonly agent: string;
  readonly lineage: readonly string[];
  /** The run's plan, stored before it starts; any JSON value. */
  readonly plan: unknown;
}

/** The work plane, fenced half: nothing gets in unless the caller's registry is at the head. */
export interface Fence {
  admitIntents(incarnation: string, head: Head, intents: readonly Intent[]): Promise<FenceAnswer>;
  /** Queues tasks; an id that is already there is left as it is. `disowned` is always empty. */
  enqueue(head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer>;
}

export const OUTCOMES = ['landed', 'failed', 'unknown', 'blocked'] as const;
/**
 * What became of an intent: `landed` and `failed` by the downstream's own word, `unknown` when bytes may have left and
 * nobody answered, `blocked` when the call was never dispatched.
 */
export type OutcomeKind = (typeof OUTCOMES)[number];

export interface Outcome {
  readonly seq: number;
  readonly kind: OutcomeKind;
  readonly detail: string | null;
}

/** Outcomes travel on their own connection and are never judged by the fence. */
export interface OutcomeSink {
  /** Idempotent by (incarnation, seq): the first outcome stays. */
  record(incarnation: string, outcomes: readonly Outcome[]): Promise<void>;
}

export interface ClaimedTask {
  readonly id: string;
  readonly token: string;
  readonly run: string;
  readonly tenant: string | null;
  readonly feature: string | null;
  readonly agent: string;
  readonly lineage: readonly string[];
  readonly plan: unknown;
  /** How often it was claimed before. */
  readonly attempts: number;
}

export type TaskEnd = 'done' | 'failed' | 'discarded' | 'unknown';

export interface TaskQueue {
  /**
   * Claims up to `limit` queued tasks for `claimMs`. A task covered by a discard engagement that was opened after the
   * task was admitted becomes `discarded` instead, whether or not that engagement is still open; a task covered by an
   * open engagement is left alone.
   */
  claim(incarnation: string, limit: number, claimMs: number): Promise<readonly ClaimedTask[]>;
  /** Ends a claimed task; false when the claim is no longer the caller's, and then nothing was written. */
  finish(claim: ClaimToken, end: TaskEnd): Promise<boolean>;
  /** Gives a claimed task back without spending an attempt; false as for `finish`. */
  giveBack(claim: ClaimToken): Promise<boolean>;
}

/** What became of a flip. */
export interface FlipAnswer extends StoreAnswer {
  /** The flip as stored. The same id and text given twice yields the first answer again. */
  readonly record: FlipRecord;
}

/** An open engagement as the operator sees it. */
export interface OpenEngagement {
  readonly revision: number;
  readonly flip: Flip;
}

/** The control plane: only those with the flipper's right hold it. */
export interface FlipStore {
  /**
   * Makes one flip durable in one autocommit statement.
   *
   * @throws KilldrillError `FLIP_ID_REUSED` (same id, another text), `ENGAGEMENT_NOT_OPEN` (a release names an unknown
   * or closed id; the message names it), `FLIP_NAMESPACE` (the text is of another namespace).
   */
  flip(text: string, signature: string | null): Promise<FlipAnswer>;
  openEngagements(): Promise<readonly OpenEngagement[]>;
}
