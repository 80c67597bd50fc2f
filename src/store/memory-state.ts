import { randomUUID } from 'node:crypto';
import type { AlertPlace } from '../alerts/alert-store.ts';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { QueuePolicy, StopMode, Switch } from '../switch.ts';
import type { Inventory, WorkerIdentity, WorkerReport } from './effectiveness-port.ts';
import type {
  Asker,
  Compensation,
  CriticalRules,
  FlipRecord,
  Head,
  Intent,
  NewTask,
  Outcome,
  OutcomeKind,
  SignedHead,
  TaskState,
} from './store.ts';

/** A flip, and where its engagement stands if it is a stop. */
export interface StoredFlip {
  readonly id: string;
  readonly record: FlipRecord;
  readonly engagement: StoredEngagement | null;
}

export interface StoredEngagement {
  readonly id: string;
  readonly on: Switch;
  readonly mode: StopMode;
  readonly queue: QueuePolicy;
  readonly openedRevision: number;
  /** With `drain`: when the drain is over, by the store's wall clock. */
  readonly drainUntilMs: number | null;
  /** The run contract at the stop, canonical; null when none was declared. */
  readonly contract: string | null;
  closedRevision: number | null;
}

export interface StoredClaim {
  readonly token: string;
  readonly deadlineMs: number;
  /** The head's, when it was claimed: a stop that was closed by then has no hold on it. */
  readonly revision: number;
}

export interface StoredTask {
  readonly task: NewTask;
  /** Order of arrival; also the order in which sweeps go. */
  readonly place: number;
  /** Bound at enqueue. */
  readonly critical: boolean;
  admittedRevision: number;
  state: TaskState;
  attempts: number;
  /** Waits for another attempt. */
  retry: boolean;
  /** This occurrence was passed over while it was parked. */
  skipped: boolean;
  dueMs: number;
  parkedMs: number | null;
  /** The engagement that stopped its run in the midst. */
  haltedBy: string | null;
  endedWhy: string | null;
  claim: StoredClaim | null;
  /** Of all claims on this occurrence, oldest first. */
  claimTokens: readonly string[];
}

/** One flip's work on the queue, which anybody may do. */
export interface StoredSweep {
  readonly revision: number;
  readonly kind: 'stop' | 'release' | 'drain';
  readonly notBeforeMs: number;
  /** The place that comes next. */
  cursor: number;
  swept: number;
  done: boolean;
}

export interface StoredIntent {
  readonly incarnation: string;
  readonly intent: Intent;
  /** The last revision that it comes after, by the store's order. */
  readonly afterRevision: number;
  readonly atMs: number;
}

export interface StoredOutcome {
  readonly incarnation: string;
  readonly outcome: Outcome;
}

export interface StoredCompensation {
  readonly compensation: Omit<Compensation, 'outcome'>;
  outcome: OutcomeKind | null;
  detail: string | null;
}

/** What an operator asked for, and what was said to it. */
export interface OperatorAction {
  readonly kind: 'critical' | 'contract' | 'resume' | 'compensate' | 'red-release' | 'inventory' | 'intent';
  readonly asker: Asker;
  readonly request: unknown;
  readonly refusal: string | null;
  readonly atMs: number;
}

/** What became of one alert. */
export interface StoredAlert {
  readonly place: AlertPlace;
  readonly kind: 'flip' | 'duplicate' | 'stale' | 'poison' | 'expired';
  /** Null for what came to no stop by itself. */
  readonly alert: { readonly detector: string; readonly alertId: string; readonly content: string } | null;
  readonly flipId: string | null;
  readonly code: string | null;
  readonly why: string | null;
}

/** One life of a worker, and the newest report in its name. */
export interface StoredWorker {
  readonly identity: WorkerIdentity;
  /** Whose it is: only that handle reports in its name. */
  readonly owner: unknown;
  readonly registeredMs: number;
  ended: boolean;
  number: number;
  report: WorkerReport | null;
  reportedMs: number | null;
  canaryMs: number | null;
}

/** How a partition was placed, or moved past what the bus no longer has. */
export interface StoredPlacing {
  readonly topic: string;
  readonly partition: number;
  readonly from: number | null;
  readonly to: number;
  readonly why: string;
}

/** Who flies, or flew, a canary. */
export interface StoredTurn {
  readonly token: string;
  readonly by: string;
  readonly beganMs: number;
  readonly untilMs: number;
}

export interface MemoryStateOptions {
  readonly namespace: string;
  /** The machine's clock. */
  readonly clock?: Clock;
  /** Makes the epoch, the claim tokens and the compensations' ids; random UUIDs. */
  readonly newId?: () => string;
  /** How long the store is said to have been up at its start, milliseconds; an hour. */
  readonly ageMs?: number;
}

const HOUR_MS = 3_600_000;

/** What all handles of one memory store share. Tests may read it as they would read tables. */
export class MemoryState {
  readonly namespace: string;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly flips: StoredFlip[] = [];
  readonly flipsById = new Map<string, StoredFlip>();
  readonly tasks = new Map<string, StoredTask>();
  readonly sweeps: StoredSweep[] = [];
  readonly intents = new Map<string, StoredIntent>();
  readonly outcomes = new Map<string, StoredOutcome>();
  /** By the intent that they make good for. */
  readonly compensations = new Map<string, StoredCompensation>();
  readonly actions: OperatorAction[] = [];
  /** When each revision was committed, by the store's wall clock. */
  readonly flipTimes = new Map<number, number>();
  readonly alerts: StoredAlert[] = [];
  /** By topic and partition: the next alert to be recorded. */
  readonly alertPositions = new Map<string, number>();
  readonly alertPlacings: StoredPlacing[] = [];
  readonly workers = new Map<string, StoredWorker>();
  inventory: Inventory | null = null;
  /** The last turn that a canary had; null before the first. */
  canaryTurn: StoredTurn | null = null;
  /** Open intents that an operator has answered for. */
  readonly closedIntents = new Set<string>();
  readonly listeners = new Set<MemoryListener>();
  readonly signedHeads: SignedHead[] = [];
  /** Revisions whose signature came with a relay. */
  readonly relayed = new Set<number>();
  /** By revision: other signatures that came with a flip. */
  readonly moreSignatures = new Map<number, readonly string[]>();
  critical: CriticalRules = { capabilities: [], classes: [] };
  /** The declared run contract, canonical; null before the first. */
  contract: string | null = null;
  readonly #epoch: string;
  #startedMs: number;

  constructor(options: MemoryStateOptions) {
    this.namespace = options.namespace;
    this.clock = options.clock ?? systemClock;
    this.newId = options.newId ?? randomUUID;
    this.#epoch = this.newId();
    this.#startedMs = this.clock.monotonicMs() - (options.ageMs ?? HOUR_MS);
  }

  get head(): Head {
    const last = this.flips.at(-1)?.record;
    return { epoch: this.#epoch, revision: last?.revision ?? 0, hash: last?.hash ?? '' };
  }

  get ageMs(): number {
    return this.clock.monotonicMs() - this.#startedMs;
  }

  /** The store's clock: due times, claims and drains go by it. */
  get nowMs(): number {
    return this.clock.wallMs();
  }

  /** All that were ever opened, oldest first. */
  get engagements(): readonly StoredEngagement[] {
    return this.flips.flatMap(({ engagement }) => (engagement === null ? [] : [engagement]));
  }

  /** As a server that was killed and started again: everything stored is there, its age is 0, and all listeners are lost. */
  restart(): void {
    this.#startedMs = this.clock.monotonicMs();
    this.loseListeners(new Error('the store restarted'));
  }

  loseListeners(error: Error): void {
    const lost = [...this.listeners];
    this.listeners.clear();
    for (const listener of lost) listener.lost(error);
  }
}

export interface MemoryListener {
  readonly onFlip: (record: FlipRecord | null) => void;
  readonly lost: (error: Error) => void;
}

/** Outcomes and intents are named by incarnation and number. */
export function journalKey(incarnation: string, seq: number): string {
  return `${seq} ${incarnation}`;
}
