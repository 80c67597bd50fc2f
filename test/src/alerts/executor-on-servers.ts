import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { AlertExecutor } from '../../../src/alerts/alert-executor.ts';
import type { Alert } from '../../../src/alerts/alert.ts';
import type { AlertBus, AlertPublisher } from '../../../src/alerts/alert-bus.ts';
import type { AlertStore } from '../../../src/alerts/alert-store.ts';
import type { AlertEvent } from '../../../src/alerts/executor-parts.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Registry } from '../../../src/registry.ts';
import { openAlertStore } from '../../../src/store/postgres/alert-store.ts';
import type { Opened } from '../../../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../../../src/store/postgres/flip-store.ts';
import type { FlipStore } from '../../../src/store/store.ts';
import { PATIENT } from '../store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../store/postgres/prepared-database.ts';
import { releaseText } from '../store/samples.ts';
import { openBusOf, openPublisherOf } from './bus-order.ts';
import type { BusOrder } from './bus-order.ts';
import { followRegistry } from './following-registry.ts';
import type { FollowingRegistry } from './following-registry.ts';
import { TOPIC, newDetector, policyFor, signed } from './samples.ts';
import type { Detector, Sent } from './samples.ts';

interface RecordRow {
  readonly position: number;
  readonly kind: string;
  readonly code: string | null;
}

interface Parts {
  readonly executor: AlertExecutor;
  readonly own: FollowingRegistry;
  readonly control: Opened<FlipStore>;
  readonly publisher: Opened<AlertPublisher>;
}

type Logins = Pick<PreparedDatabase, 'workerUrl' | 'flipperUrl' | 'addNamespace'>;

interface Beside {
  /** The same as that of an executor of the same fleet, of which this is the second. */
  readonly beside?: ExecutorOnServers;
  /** Default: the bus in PostgreSQL. */
  readonly bus?: BusOrder;
  /** Its name on the bus. */
  readonly member?: string;
}

/** One executor with its registry, over the PostgreSQL store of a namespace of its own, and a bus. */
export class ExecutorOnServers {
  readonly namespace: string;
  readonly bus: BusOrder;
  readonly detector: Detector;
  readonly events: AlertEvent[] = [];
  readonly errors: Error[] = [];
  readonly #member: string;
  readonly #database: Logins;
  readonly #owner: pg.Client;
  readonly #closing: (() => Promise<void>)[] = [];
  #opened: Parts | null = null;

  constructor(database: Logins, owner: pg.Client, { beside, bus, member = 'executor' }: Beside = {}) {
    this.bus = bus ?? beside?.bus ?? { kind: 'postgres', topic: TOPIC };
    this.#member = member;
    this.namespace = beside?.namespace ?? `ns-${randomUUID()}`;
    this.detector = beside?.detector ?? newDetector();
    this.#database = database;
    this.#owner = owner;
  }

  async open(): Promise<void> {
    const { namespace } = this;
    const { workerUrl, flipperUrl } = this.#database;
    await this.#database.addNamespace(namespace);
    const asWorker = { connectionString: workerUrl, namespace, timings: PATIENT };
    const asFlipper = { ...asWorker, connectionString: flipperUrl };
    const own = await this.follow();
    const bus: Opened<AlertBus> = await openBusOf(this.bus, asFlipper, this.#member);
    const store: Opened<AlertStore> = openAlertStore(asFlipper);
    const executor = new AlertExecutor({
      ...{ bus, store, registry: own.registry, clock: systemClock },
      policy: policyFor([this.detector], { namespace }),
      onEvent: (event) => this.events.push(event),
      onError: (error) => this.errors.push(error),
    });
    const control = openFlipStore(asFlipper);
    const publisher = await openPublisherOf(this.bus, asWorker);
    this.#closing.push(async () => {
      await executor.close();
      await Promise.all([bus, store, control, publisher].map((port) => port.close()));
    });
    this.#opened = { executor, own, control, publisher };
    executor.start();
  }

  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close();
  }

  /** The registry of another process of the fleet, with a connection of its own. */
  async follow(): Promise<FollowingRegistry> {
    const { namespace } = this;
    const following = await followRegistry({
      connectionString: this.#database.workerUrl,
      namespace,
      timings: PATIENT,
    });
    this.#closing.push(() => following.close());
    return following;
  }

  get executor(): AlertExecutor {
    return this.#now.executor;
  }

  /** Of the executor's own process. */
  get registry(): Registry {
    return this.#now.own.registry;
  }

  /** Targets that are stopped in the executor's own process. */
  targets(): readonly string[] {
    return this.#now.own.targets();
  }

  /** An alert of the rig's detector, raised now. */
  alert(alert: Partial<Alert> = {}): Sent {
    return signed(this.detector, this.timely(alert));
  }

  timely(alert: Partial<Alert> = {}): Partial<Alert> {
    const nowMs = Date.now();
    const times = { raisedAt: iso(nowMs), expiresAt: iso(nowMs + 60_000) };
    return { namespace: this.namespace, id: randomUUID(), ...times, ...alert };
  }

  /** `key` chooses the partition, where a bus has several. */
  publish({ bytes, signature }: Sent, key = 'one'): Promise<void> {
    return this.#now.publisher.publish(bytes, signature, key);
  }

  /** Targets of the engagements that the store has open. */
  async durable(): Promise<readonly string[]> {
    return (await this.#now.control.openEngagements()).map(({ flip }) => flip.target);
  }

  async releaseAll(): Promise<void> {
    const ids = (await this.#now.control.openEngagements()).map(({ flip }) => flip.id);
    await this.#now.control.flip(releaseText(this.namespace, ids), null);
  }

  /** What became of the alerts, in the order of their places. */
  async records(): Promise<readonly RecordRow[]> {
    const { rows } = await this.#owner.query<RecordRow>(
      'select position::integer, kind, code from killdrill.alert_record where namespace = $1 order by position',
      [this.namespace],
    );
    return rows;
  }

  async letters(): Promise<readonly { readonly position: number; readonly code: string; readonly why: string }[]> {
    const { rows } = await this.#owner.query<{ position: number; code: string; why: string }>(
      'select position::integer, code, why from killdrill.alert_dead_letter where namespace = $1 order by position',
      [this.namespace],
    );
    return rows;
  }

  /** Where the store stands, and what the bus was told. */
  async positions(): Promise<{ readonly stored: number | null; readonly committed: number | null }> {
    const { rows } = await this.#owner.query<{ stored: number | null; committed: number | null }>(
      `select (select position::integer from killdrill.alert_position where namespace = $1) as stored,
              (select committed::integer from killdrill.alert_topic where namespace = $1) as committed`,
      [this.namespace],
    );
    return rows[0] ?? { stored: null, committed: null };
  }

  get #now(): Parts {
    if (this.#opened === null) throw new Error('open() was not called yet');
    return this.#opened;
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
