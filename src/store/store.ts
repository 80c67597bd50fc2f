import type { Actor } from '../actor.ts';
import type { Flip } from '../switch.ts';
import type { FlipRecord, Head, ReleaseProof, WantedProof } from './flip-record.ts';
import type { OutcomeKind } from './outcome-kind.ts';

export { OUTCOMES } from './outcome-kind.ts';
export type { OutcomeKind } from './outcome-kind.ts';
export type * from './flip-record.ts';
export type * from './operator-port.ts';

/**
 * The store as the domain needs it. Drivers (PostgreSQL, memory) implement these ports and pass one contract suite.
 * Every method takes a bounded time of its own driver's and rejects with a `KilldrillError` afterwards; none retries.
 */

/** What every answer of a store carries; it is what a lease is renewed from. */
export interface StoreAnswer {
  readonly head: Head;
  /** Milliseconds since the store's server started, by its own account, when it answered. */
  readonly ageMs: number;
}

/** Everything that is open, and the head, read in one snapshot. */
export interface LoadAnswer extends StoreAnswer {
  readonly open: readonly FlipRecord[];
  /** Capabilities that the operator declared critical; patterns as in a capability switch. */
  readonly critical: readonly string[];
  /** For who asked for it: what the closed stops were closed by. */
  readonly released?: ReleaseProof;
}

/** The flips after a head that the caller named; `diverged` when that head is no part of this store's history. */
export type FlipsAnswer = StoreAnswer &
  ({ readonly kind: 'flips'; readonly flips: readonly FlipRecord[] } | { readonly kind: 'diverged' });

/** Answer to a relayed stop: at which revision it was opened, and whether it still is. */
export type RelayAnswer = StoreAnswer & {
  readonly kind: 'open' | 'closed';
  readonly revision: number;
  /** Of a closed one: the release that closed it; null, or absent, where there is none, as for a refused alert's stop. */
  readonly release?: Pick<FlipRecord, 'text' | 'signature'> | null;
};

/** The registry plane: how a process learns of flips. */
export interface FlipSource {
  /** Everything that is open; with `proof` also what the rest was closed by. Default `none`. */
  load(proof?: WantedProof): Promise<LoadAnswer>;
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
export interface Intent extends Actor {
  readonly seq: number;
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

/** What a task is: a queued run, a timer, an outgoing webhook (outbox), or a child run. A retry is a state of any of them. */
export const TASK_KINDS = ['run', 'timer', 'webhook', 'child'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/**
 * `queued`: waits for its time and a claimant. `running`: claimed. `parked`: halted, and comes back by itself when the
 * last engagement that covers it closes. `discarded`: halted for good; its plan is kept, and only `resume` brings it back.
 * `unknown`: a claimant vanished with an effect open; never queued again by itself.
 */
export const TASK_STATES = ['queued', 'running', 'done', 'failed', 'parked', 'discarded', 'unknown'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** What becomes of a task whose time passed while it was parked: run it now, drop this occurrence, or move it by as long as it was parked. */
export const PAST_DUE_POLICIES = ['fire', 'skip', 'shift'] as const;
export type PastDue = (typeof PAST_DUE_POLICIES)[number];

/** When a task may be claimed first, by the store's clock. */
export type Due =
  | { readonly kind: 'now' }
  /** So many milliseconds after it was let in. */
  | { readonly kind: 'in'; readonly ms: number }
  /** ISO 8601 instant. */
  | { readonly kind: 'at'; readonly at: string };

/** Work that wants to be queued. Its class is not the caller's to say: the store binds it by the operator's rules. */
export interface NewTask extends Actor {
  /** Unique within the namespace, for ever. */
  readonly id: string;
  readonly kind: TaskKind;
  /** Ancestors of the run, oldest first. */
  readonly lineage: readonly string[];
  /** What it does as a whole, such as `webhook/notify`; null for a task that does several things. A capability stop then covers it. */
  readonly capability: string | null;
  /** The plan, stored before anything of it starts; any JSON value. */
  readonly plan: unknown;
  readonly due: Due;
  readonly pastDue: PastDue;
  /** How it repeats (`every 60000` in milliseconds, or a cron expression such as `*\/5 * * * *`); null for once. The store only keeps it. */
  readonly repeat: string | null;
}

/** The work plane, fenced half: nothing gets in unless the caller's registry is at the head. */
export interface Fence {
  admitIntents(incarnation: string, head: Head, intents: readonly Intent[]): Promise<FenceAnswer>;
  /** Queues tasks; an id that is already there is left as it is. `disowned` is always empty. */
  enqueue(head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer>;
}

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

/** One effect of a task so far, by the journal: its newest intent under that key. */
export interface TaskEffect {
  readonly key: string;
  readonly capability: string;
  /** Null: nothing was recorded, by a claimant that is gone; as good as `unknown`. */
  readonly outcome: OutcomeKind | null;
}

export interface ClaimedTask extends Actor {
  readonly id: string;
  readonly token: string;
  readonly kind: TaskKind;
  readonly lineage: readonly string[];
  readonly capability: string | null;
  readonly plan: unknown;
  readonly repeat: string | null;
  /** ISO 8601: when this occurrence was due. */
  readonly dueAt: string;
  /** This occurrence was passed over while the task was parked (`pastDue: 'skip'`): do nothing but arrange the next one. */
  readonly skipped: boolean;
  /** How often it was claimed before, refusals apart. */
  readonly attempts: number;
  /** The head's revision under which it was let in, or resumed. A drain lets it pass if it is older than the stop. */
  readonly admittedRevision: number;
  /** Bound by the operator's rules when it was let in: it passes `halt_noncritical`. */
  readonly critical: boolean;
  /** What earlier claims have done: landed effects are not sent again. */
  readonly effects: readonly TaskEffect[];
}

export type TaskEnd = 'done' | 'failed' | 'unknown';

/** What a sweep batch did. */
export interface SweepAnswer {
  /** Tasks whose state was changed. */
  readonly swept: number;
  /** Whether some sweep has more to do now. */
  readonly more: boolean;
}

/** Tasks by kind and state. */
export interface QueueCount {
  readonly kind: TaskKind;
  readonly state: TaskState;
  /** Of those, how many wait for another attempt. */
  readonly retries: number;
  readonly count: number;
}

export interface TaskQueue {
  /**
   * Claims up to `limit` queued tasks that are due, oldest first, for `claimMs`. What it meets on the way it settles: a
   * task covered by a discard engagement that was opened after the task was admitted becomes `discarded`, whether or not
   * that engagement is still open; one covered by another open engagement becomes `parked`; one whose claim is over
   * becomes `unknown` if an intent of that claim has no outcome.
   *
   * It looks at a bounded number of rows, at no more than 500 of them under the fence's lock. One that answers with fewer
   * than `limit`, but some, is to be asked again at once: more may lie behind what had to be settled.
   */
  claim(incarnation: string, limit: number, claimMs: number): Promise<readonly ClaimedTask[]>;
  /** Prolongs claims to `claimMs` from now; answers the tasks whose claims are still the caller's. */
  extend(claims: readonly ClaimToken[], claimMs: number): Promise<readonly string[]>;
  /**
   * Ends a claimed task; false when the claim is no longer the caller's, and then nothing was written. With `againAt`
   * (ISO 8601) a task that repeats is queued for its next occurrence instead of ending, under its old stamp.
   */
  finish(claim: ClaimToken, end: TaskEnd, againAt?: string): Promise<boolean>;
  /**
   * Its run was stopped by this engagement, or by whatever covers it (null). The store decides what becomes of it:
   * `discarded`, `parked`, or `queued` when nothing holds it any more. Spends no attempt. Null when the claim is no longer
   * the caller's. With an intent of this claim open it becomes `unknown`. An engagement that was closed before the claim was
   * made counts as none: whoever was refused for it had not heard of its release yet.
   */
  halted(claim: ClaimToken, engagement: string | null): Promise<TaskState | null>;
  /** Queues it again for another attempt, `delayMs` from now: a retry is a row, never a sleep. Spends the attempt. Answers as `halted`. */
  retry(claim: ClaimToken, delayMs: number): Promise<TaskState | null>;
  /** Gives a claimed task back without spending an attempt; false as for `finish`. Where a stop covers it, it is settled as by `halted`. */
  giveBack(claim: ClaimToken): Promise<boolean>;
  /** Does at most `limit` rows of the oldest open sweep. Any process may; several at once are safe. */
  sweep(limit: number): Promise<SweepAnswer>;
  counts(): Promise<readonly QueueCount[]>;
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

export interface FlipOptions {
  /** Releases although the run contract is red, for this reason, which goes on record. */
  readonly evenIfRed?: string;
  /**
   * A release may name what is closed already: a release that nobody had signed closed it in the store, and agents that ask
   * for signatures have gone on enforcing it.
   */
  readonly again?: boolean;
}

/** The control plane: only those with the flipper's right hold it. */
export interface FlipStore {
  /**
   * Makes one flip durable in one autocommit statement.
   *
   * @throws KilldrillError `FLIP_ID_REUSED` (same id, another text), `ENGAGEMENT_NOT_OPEN` (a release names an unknown
   * or closed id; the message names it), `FLIP_NAMESPACE` (the text is of another namespace), `RELEASE_NOT_GREEN` (the
   * run contract is still that of the stop; the message names engagement and contract).
   */
  flip(text: string, signature: string | null, options?: FlipOptions): Promise<FlipAnswer>;
  openEngagements(): Promise<readonly OpenEngagement[]>;
}
