import { randomUUID } from 'node:crypto';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { QueuePolicy, Switch } from '../switch.ts';
import type { FlipRecord, Head, Intent, NewTask, Outcome } from './store.ts';

/** A flip, and where its engagement stands if it is a stop. */
export interface StoredFlip {
  readonly id: string;
  readonly record: FlipRecord;
  readonly engagement: StoredEngagement | null;
}

export interface StoredEngagement {
  readonly on: Switch;
  readonly queue: QueuePolicy;
  closedRevision: number | null;
}

export type TaskState = 'queued' | 'running' | 'done' | 'failed' | 'parked' | 'discarded' | 'unknown';

export interface StoredTask {
  readonly task: NewTask;
  readonly admittedRevision: number;
  /** Order of arrival. */
  readonly place: number;
  state: TaskState;
  attempts: number;
  claim: { readonly token: string; readonly deadlineMs: number } | null;
}

export interface StoredIntent {
  readonly incarnation: string;
  readonly intent: Intent;
  /** The last revision that it comes after, by the store's order. */
  readonly afterRevision: number;
}

export interface StoredOutcome {
  readonly incarnation: string;
  readonly outcome: Outcome;
}

export interface MemoryStateOptions {
  readonly namespace: string;
  /** The machine's clock. */
  readonly clock?: Clock;
  /** Makes the epoch and the claim tokens; random UUIDs. */
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
  readonly intents = new Map<string, StoredIntent>();
  readonly outcomes = new Map<string, StoredOutcome>();
  readonly listeners = new Set<MemoryListener>();
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
