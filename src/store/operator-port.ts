import type { Actor } from '../actor.ts';
import type { Scope } from '../switch.ts';
import type { OutcomeKind } from './outcome-kind.ts';

/** What the fleet runs: a release is red while this equals what ran at the stop. */
export interface RunContract {
  readonly model: string;
  readonly prompt: string;
  /** Version of each tool. */
  readonly tools: Readonly<Record<string, string>>;
}

/** What the operator declared critical: it passes `halt_noncritical`. */
export interface CriticalRules {
  /** Capability patterns. */
  readonly capabilities: readonly string[];
  /** Task classes; a task is of the first class that one of its switches covers, when it is let in. */
  readonly classes: readonly { readonly name: string; readonly scope: Scope; readonly target: string }[];
}

export type ResumeWhich =
  | { readonly kind: 'runs'; readonly runs: readonly string[] }
  | { readonly kind: 'tenant'; readonly tenant: string }
  /** Every discarded task. */
  | { readonly kind: 'all' };

/** How what is resumed comes back: so many tasks a second, or one tenant after another. It is written into their due times, so that nobody has to stay. */
export type ResumeStaging =
  | { readonly kind: 'at-once' }
  | { readonly kind: 'rate'; readonly tasksPerSecond: number }
  | { readonly kind: 'tenants'; readonly everyMs: number };

/** Who asked for something, and why; it goes on record, refused or not. */
export interface Asker {
  readonly by: string;
  readonly reason: string;
}

export interface ResumeAnswer {
  readonly tasks: number;
  readonly runs: readonly string[];
  /** Milliseconds until the last of them is due. */
  readonly lastDueInMs: number;
  /** Those that an open engagement covers: they came back parked. */
  readonly parked: number;
}

/** One landed or unknown effect of the journal. */
export interface LedgerEntry extends Actor {
  readonly incarnation: string;
  readonly seq: number;
  readonly capability: string;
  readonly access: 'read' | 'write';
  readonly idempotencyKey: string;
  /** `unknown` too when nobody recorded an outcome. */
  readonly outcome: 'landed' | 'unknown';
  /** The last revision that its intent comes after. */
  readonly afterRevision: number;
  /** ISO 8601, by the store's clock. */
  readonly at: string;
  readonly compensation: Compensation | null;
}

export interface Compensation {
  /** Names it for ever: one per ledger entry. Also the idempotency key of its effect. */
  readonly id: string;
  readonly capability: string;
  readonly by: string;
  readonly reason: string;
  /** Null: issued, and nothing was recorded yet. */
  readonly outcome: OutcomeKind | null;
}

export interface CompensationTicket {
  readonly compensation: Compensation;
  /** False: it was issued before; do not send it again unless its downstream is known to be idempotent. */
  readonly isNew: boolean;
}

/** The way back: what an operator may do after a stop. Each call goes on record, also when it is refused. */
export interface OperatorStore {
  /** @throws KilldrillError `CRITICAL_RULES_INVALID` */
  setCritical(rules: CriticalRules, asker: Asker): Promise<void>;
  declareContract(contract: RunContract, asker: Asker): Promise<void>;
  /** Why each of these engagements may not be released yet; empty when all are green. */
  redReasons(
    engagements: readonly string[],
  ): Promise<readonly { readonly engagement: string; readonly reason: string }[]>;
  /**
   * Brings discarded (and, named by run, unknown) tasks back under a new stamp. A stop that is opened later holds them again.
   * What stops of before have still to discard is discarded first, so that it comes back too.
   *
   * @throws KilldrillError `RUN_NOT_STOPPED` naming each run that has nothing to resume, `SWEEP_PENDING` when what a
   * stop discards was not written down within a minute; nothing was resumed then.
   */
  resume(which: ResumeWhich, staging: ResumeStaging, asker: Asker): Promise<ResumeAnswer>;
  /** Landed and unknown effects whose intents come after this revision, in the order of the journal; all for null. */
  ledger(afterRevision: number | null): Promise<readonly LedgerEntry[]>;
  /**
   * Issues the compensation of one ledger entry: journaled, once per entry, and allowed while everything is halted.
   *
   * @throws KilldrillError `LEDGER_ENTRY_UNKNOWN`
   */
  admitCompensation(
    entry: { readonly incarnation: string; readonly seq: number },
    capability: string,
    asker: Asker,
  ): Promise<CompensationTicket>;
  closeCompensation(id: string, outcome: OutcomeKind, detail: string | null): Promise<void>;
}
