import { createHash } from 'node:crypto';
import type { BusMessage, DeadLetter, PartitionReader } from './alert-bus.ts';
import type { AlertPlace, AlertRefusal, AlertTrip } from './alert-store.ts';

/** A stop in hand. */
export interface TripEntry {
  readonly kind: 'trip';
  readonly message: BusMessage;
  readonly trip: AlertTrip;
  /** Over the flip's text. */
  readonly signature: string | null;
  /** Of its scope, 0 for the widest. */
  readonly width: number;
  /** The store has answered, so that the stop is durable or refused by it. */
  isAnswered: boolean;
  /** It is enforced here without the store's word. */
  isHeld: boolean;
  cancelTimer: () => void;
}

/** An alert that comes to no stop. */
export interface RefusalEntry {
  readonly kind: 'refusal';
  readonly refusal: AlertRefusal;
  /** What has still to be kept before the position may pass; null once it is, and where none is due. */
  letter: DeadLetter | null;
}

export type LaneEntry = TripEntry | RefusalEntry;

type Item = LaneEntry | { readonly kind: 'jump'; readonly from: number; readonly to: number };

/** What brings a lane on. */
export type LaneStep =
  | { readonly kind: 'none' }
  /** The first one waits for its dead letter, or for the store's first answer; or a stop in hand does, before 'ahead'. */
  | { readonly kind: 'waiting' }
  /** The store stands before what we hold: somebody has to read from there. */
  | { readonly kind: 'ahead' }
  | { readonly kind: 'trips'; readonly entries: readonly TripEntry[] }
  | { readonly kind: 'refusals'; readonly entries: readonly RefusalEntry[] }
  | { readonly kind: 'jump'; readonly from: number; readonly to: number };

export interface LaneParts {
  readonly topic: string;
  readonly partition: number;
  /** The first message that is wanted. */
  readonly start: number;
  /** Whether the store said so; otherwise nobody knows yet where it stands. */
  readonly isStoresWord: boolean;
  /** Most alerts in hand; the bus has to wait then. */
  readonly maxBacklog: number;
  readonly take: (message: BusMessage) => LaneEntry;
  readonly changed: () => void;
}

/** Refusals that are recorded in one statement. */
const BATCH = 200;
/** Stops of one statement: few enough that a worker's intents do not run into their time-out behind its lock. */
export const TRIPS = 20;
/**
 * Stops, or else alerts, that are judged in one go. A signature takes a quarter of a millisecond, so that a storm's would hold up
 * its first stop; poison takes a tenth of that, and its dead letters are no reason to let the stop behind it wait.
 */
const SLICE_STOPS = 16;
const SLICE = 512;

/**
 * One assignment of one partition: the alerts in hand, in the order in which they were read. An entry leaves when the
 * store's position has passed it, and the position passes in order only.
 */
export class AlertLane implements PartitionReader {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly #parts: LaneParts;
  #items: Item[] = [];
  /** Delivered, and not judged yet. */
  #inbox: readonly BusMessage[] = [];
  #isTaking = false;
  #next: number;
  #stored: number | null;
  #unplaced = false;
  #left = false;
  #dropped = false;
  readonly #roomFor: (() => void)[] = [];

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.topic = parts.topic;
    this.partition = parts.partition;
    this.position = parts.start;
    this.#next = parts.start;
    this.#stored = parts.isStoresWord ? parts.start : null;
  }

  /** Where the store stands, as far as it has told. */
  get stored(): number | null {
    return this.#stored;
  }

  /** No more comes; what is in hand is still worked off. */
  get isLeft(): boolean {
    return this.#left;
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  get size(): number {
    return this.#items.length + this.#inbox.length;
  }

  /** The bus has to wait until something leaves. */
  get isFull(): boolean {
    return this.#roomFor.length > 0;
  }

  async deliver(messages: readonly BusMessage[]): Promise<void> {
    if (this.#left) return;
    this.#inbox = [...this.#inbox, ...messages];
    this.#takeSlice();
    while (this.size >= this.#parts.maxBacklog && !this.#left) {
      await new Promise<void>((resolve) => this.#roomFor.push(resolve));
    }
  }

  revoked(): void {
    this.#left = true;
    this.#inbox = [];
    this.#makeRoom();
    this.#parts.changed();
  }

  /** Gives up what is in hand: somebody will read it again. */
  drop(): void {
    this.#dropped = true;
    for (const entry of this.trips()) entry.cancelTimer();
    this.#items = [];
    this.revoked();
  }

  /** All stops in hand. */
  trips(): readonly TripEntry[] {
    return this.#items.filter((item) => item.kind === 'trip');
  }

  /** Stops that the store has not answered yet. */
  unanswered(): readonly TripEntry[] {
    return this.trips().filter(({ isAnswered }) => !isAnswered);
  }

  /** The stop comes to nothing after all. */
  refuse(entry: TripEntry, refusal: RefusalEntry): void {
    entry.cancelTimer();
    this.#items = this.#items.map((item) => (item === entry ? refusal : item));
  }

  /** Takes the store's word for where it stands, and lets go of what it has passed. */
  answered(position: number | null): void {
    if (this.#dropped) return;
    this.#unplaced = position === null;
    this.#stored = position;
    this.#letGo();
  }

  step(): LaneStep {
    this.#letGo();
    const [first] = this.#items;
    if (first === undefined) return { kind: 'none' };
    if (this.#unplaced || (this.#stored !== null && this.#stored < startOf(first))) {
      // Whoever reads again may be another process: a stop that is held here needs the store's word first.
      return { kind: this.unanswered().length === 0 ? 'ahead' : 'waiting' };
    }
    if (first.kind === 'jump') return first;
    if (first.kind === 'trip') {
      const trips = this.#leadingTrips();
      return trips.length === 0 ? { kind: 'waiting' } : { kind: 'trips', entries: trips };
    }
    const entries = this.#leadingRefusals();
    return entries.length === 0 ? { kind: 'waiting' } : { kind: 'refusals', entries };
  }

  /** The first stops are on their way to the store while those behind them are still being judged. */
  #takeSlice(): void {
    if (this.#isTaking) return;
    let [taken, stops] = [0, 0];
    for (const message of this.#inbox) {
      if (taken === SLICE || stops === SLICE_STOPS) break;
      taken += 1;
      if (message.position < this.#next) continue;
      // The bus has nothing in between any more, or never had: it goes on record before the position passes it.
      if (message.position > this.#next) this.#items.push({ kind: 'jump', from: this.#next, to: message.position });
      const entry = this.#parts.take(message);
      this.#items.push(entry);
      if (entry.kind === 'trip') stops += 1;
      this.#next = message.position + 1;
    }
    this.#inbox = this.#inbox.slice(taken);
    this.#parts.changed();
    if (this.#inbox.length === 0) return;
    this.#isTaking = true;
    setImmediate(() => {
      this.#isTaking = false;
      if (!this.#left) this.#takeSlice();
    });
  }

  #leadingTrips(): readonly TripEntry[] {
    const entries: TripEntry[] = [];
    for (const item of this.#items) {
      if (item.kind !== 'trip' || !item.isAnswered || entries.length === TRIPS) break;
      entries.push(item);
    }
    return entries;
  }

  #leadingRefusals(): readonly RefusalEntry[] {
    const entries: RefusalEntry[] = [];
    for (const item of this.#items) {
      if (item.kind !== 'refusal' || item.letter !== null || entries.length === BATCH) break;
      entries.push(item);
    }
    return entries;
  }

  #letGo(): void {
    const stored = this.#stored;
    if (stored === null) return;
    let passed = 0;
    for (const item of this.#items) {
      if (endOf(item) > stored || (item.kind === 'trip' && !item.isAnswered)) break;
      passed += 1;
    }
    if (passed === 0) return;
    this.#items = this.#items.slice(passed);
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const resolve of this.#roomFor.splice(0)) resolve();
  }
}

/** An alert's place, and what tells it from another message that stands there in a topic made anew. */
export function placeOf({ topic, partition, position, bytes, signature, publishedAtMs }: BusMessage): AlertPlace {
  const content = createHash('sha256').update(bytes).digest('hex');
  const message = createHash('sha256')
    .update(JSON.stringify([publishedAtMs, signature, content]))
    .digest('hex');
  return { topic, partition, position, message };
}

function startOf(item: Item): number {
  switch (item.kind) {
    case 'trip':
      return item.message.position;
    case 'refusal':
      return item.refusal.place.position;
    default:
      return item.from;
  }
}

function endOf(item: Item): number {
  return item.kind === 'jump' ? item.to : startOf(item) + 1;
}
