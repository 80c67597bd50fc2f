import { createHash, randomUUID } from 'node:crypto';
import { canonicalText } from '../../../src/flip-text.ts';
import type { AlertPlace, AlertRefusal, AlertStore, AlertTrip } from '../../../src/alerts/alert-store.ts';
import type { FlipAnswer, FlipSource, FlipStore } from '../../../src/store/store.ts';
import { releaseText } from '../store/samples.ts';

/** What one process with the flipper's right holds, and a worker's registry plane. */
export interface AlertHandles {
  readonly alerts: AlertStore;
  readonly control: FlipStore;
  readonly flips: FlipSource;
  close(): Promise<void>;
}

/** What is on record of one alert. */
export interface AlertRow {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly kind: string;
  readonly flipId: string | null;
  readonly code: string | null;
  readonly why: string | null;
}

/** How a partition was placed. */
export interface GapRow {
  readonly topic: string;
  readonly from: number | null;
  readonly to: number;
  readonly why: string;
}

/** A kind of store; each world is a namespace of its own. */
export interface AlertStoreKind {
  openWorld(namespace: string): Promise<OpenedAlertStore>;
  close(): Promise<void>;
}

export interface OpenedAlertStore {
  open(): AlertHandles;
  /** In the order in which they got there. */
  records(): Promise<readonly AlertRow[]>;
  gaps(): Promise<readonly GapRow[]>;
}

export const TOPIC = 'killdrill.alerts';

interface Wish {
  readonly detector?: string;
  readonly id?: string;
  /** Other content under the same id is another alert. */
  readonly content?: string;
  readonly target?: string;
  readonly observed?: number;
  /** By the clock instead: wall-clock milliseconds. */
  readonly raisedMs?: number;
}

interface OpenWorld {
  readonly store: OpenedAlertStore;
  readonly one: AlertHandles;
  readonly other: AlertHandles;
}

/** Two processes on one namespace, new for each test. */
export class AlertStoreWorld {
  #namespace = '';
  #opened: OpenWorld | null = null;

  async open(kind: AlertStoreKind): Promise<void> {
    this.#namespace = `ns-${randomUUID()}`;
    const store = await kind.openWorld(this.#namespace);
    this.#opened = { store, one: store.open(), other: store.open() };
  }

  async close(): Promise<void> {
    await Promise.all([this.one.close(), this.other.close()]);
  }

  get namespace(): string {
    return this.#namespace;
  }

  get one(): AlertHandles {
    return this.#now.one;
  }

  get other(): AlertHandles {
    return this.#now.other;
  }

  /** What became of each alert: `position kind`. */
  async kinds(): Promise<readonly string[]> {
    const rows = await this.records();
    return rows
      .toSorted((one, next) => one.position - next.position)
      .map(({ position, kind }) => `${position} ${kind}`);
  }

  records(): Promise<readonly AlertRow[]> {
    return this.#now.store.records();
  }

  gaps(): Promise<readonly GapRow[]> {
    return this.#now.store.gaps();
  }

  async placed(): Promise<void> {
    await this.one.alerts.place(TOPIC, 0, null, 0, 'placed for the first time');
  }

  position(): Promise<number | null> {
    return this.other.alerts.position(TOPIC, 0);
  }

  /** Targets of the engagements that are open. */
  async openTargets(): Promise<readonly string[]> {
    return (await this.one.control.openEngagements()).map(({ flip }) => flip.target);
  }

  trip(position: number, wish: Wish = {}, by: AlertHandles = this.one): ReturnType<AlertStore['trip']> {
    return by.alerts.trip(this.place(position), this.tripOf(wish), null);
  }

  place(position: number, message = `message ${position}`): AlertPlace {
    return { topic: TOPIC, partition: 0, position, message: sha256(message) };
  }

  tripOf({ detector = 'write-rate', id = 'a', content = 'x', target = 'acme', ...seen }: Wish = {}): AlertTrip {
    const flipId = `alert-${sha256([detector, id, content].join(' '))}`;
    const what = { namespace: this.#namespace, id: flipId, kind: 'stop', scope: 'tenant', target } as const;
    const how = { mode: 'halt_all', queue: 'discard', reason: 'it writes too much', source: 'alert' } as const;
    const text = canonicalText({ ...what, ...how, triggeredBy: detector, at: '2026-01-01T00:00:00.000Z' });
    const ground =
      seen.raisedMs === undefined
        ? ({ kind: 'revision', revision: seen.observed ?? 0 } as const)
        : ({ kind: 'instant', atMs: seen.raisedMs } as const);
    return { detector, alertId: id, content: sha256(content), flipId, text, ground };
  }

  refusal(position: number, refusal: Partial<AlertRefusal> = {}): AlertRefusal {
    const given = { kind: 'poison', code: 'unreadable', why: 'it is no JSON', flipId: null } as const;
    return { place: this.place(position), ...given, ...refusal };
  }

  /** Releases the stops of these alerts. */
  release(...wishes: readonly Wish[]): Promise<FlipAnswer> {
    const ids = wishes.map((wish) => this.tripOf(wish).flipId);
    return this.one.control.flip(releaseText(this.#namespace, ids), null);
  }

  get #now(): OpenWorld {
    if (this.#opened === null) throw new Error('the world is opened before each test, not while tests are collected');
    return this.#opened;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
