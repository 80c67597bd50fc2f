import type {
  AlertBus,
  BusMember,
  BusSession,
  ConnectingPublisher,
  DeadLetter,
  PartitionRange,
} from '../../alerts/alert-bus.ts';
import { KilldrillError } from '../../errors.ts';
import { alertChannel } from './alert-channel.ts';
import { AlertReading } from './alert-reading.ts';
import type { Opened } from './flip-source.ts';
import { Listening } from './listening.ts';
import { resolveStoreOptions } from './options.ts';
import type { ResolvedStoreOptions, StoreOptions } from './options.ts';
import { Session } from './session.ts';

export interface AlertBusOptions extends StoreOptions {
  /** Default `killdrill.alerts`. */
  readonly topic?: string;
  /** Default the topic's name and `.dead`. */
  readonly deadTopic?: string;
  /** How often the topic is looked at when no notification comes, milliseconds; 250. */
  readonly pollMs?: number;
}

export const DEFAULT_TOPIC = 'killdrill.alerts';
/** Largest body that a dead letter keeps, bytes; what is larger is cut, and its reason says how large it was. */
const MAX_KEPT_BYTES = 65_536;

/**
 * The small bus, for environments without Kafka: one partition, and every member is given all of it, so that none has to
 * wait for another to be declared dead. The executor's login role needs `killdrill_flipper`.
 */
export function openAlertBus(options: AlertBusOptions): Opened<AlertBus> {
  return new PostgresAlertBus(options);
}

/** The detector's side; either role may publish. */
export function openAlertPublisher(options: AlertBusOptions): Opened<ConnectingPublisher> {
  const resolved = resolveStoreOptions(options);
  const topic = options.topic ?? DEFAULT_TOPIC;
  const session = new Session('publish alerts', resolved);
  return {
    publish: async (bytes, signature) => {
      const body = Buffer.from(bytes).toString('base64');
      await session.call('publish_alert', [resolved.namespace, topic, body, signature]);
    },
    connect: () => session.use('publish alerts', () => Promise.resolve()),
    close: () => session.close(),
  };
}

class PostgresAlertBus implements AlertBus {
  readonly topic: string;
  readonly #deadTopic: string;
  readonly #pollMs: number;
  readonly #options: ResolvedStoreOptions;
  /** Apart from the reading, so that dead letters and positions wait for no poll. */
  readonly #session: Session;
  #readings: readonly AlertReading[] = [];

  constructor(options: AlertBusOptions) {
    this.#options = resolveStoreOptions(options);
    this.topic = options.topic ?? DEFAULT_TOPIC;
    this.#deadTopic = options.deadTopic ?? `${this.topic}.dead`;
    this.#pollMs = options.pollMs ?? 250;
    this.#session = new Session('alert bus', this.#options);
  }

  async range(partition: number): Promise<PartitionRange> {
    if (partition !== 0) {
      throw new KilldrillError('BUS_PARTITION', `${this.topic} has one partition, 0; found ${partition}`);
    }
    return this.#session.call<PartitionRange>('alert_range', [this.#options.namespace, this.topic]);
  }

  async deadLetter(letters: readonly DeadLetter[]): Promise<void> {
    const messages = letters.map(({ message }) => message);
    await this.#session.call('bury_alerts', [
      ...[this.#options.namespace, this.#deadTopic, this.topic],
      messages.map(({ partition }) => partition),
      messages.map(({ position }) => position),
      messages.map(({ publishedAtMs }) => Math.trunc(publishedAtMs)),
      letters.map(({ code }) => code),
      letters.map(({ why }) => why.replaceAll(/[\0\p{Cs}]/gu, '\uFFFD')),
      messages.map(({ bytes }) => Buffer.from(bytes.subarray(0, MAX_KEPT_BYTES)).toString('base64')),
      messages.map(({ signature }) => signature),
    ]);
  }

  async join(member: BusMember): Promise<BusSession> {
    const { namespace, clock } = this.#options;
    const { topic } = this;
    const session = new Session('alert reading', this.#options, {
      notified: (channel, payload) => listening.notified(channel, payload),
      lost: (error) => listening.lost(error),
    });
    const listening = new Listening(session, alertChannel(namespace, topic), this.#options);
    const reading = new AlertReading({ session, listening, member, namespace, topic, clock, pollMs: this.#pollMs });
    try {
      await reading.start();
    } catch (thrown) {
      await reading.close();
      throw thrown;
    }
    this.#readings = [...this.#readings, reading];
    return {
      commit: async (_, position) => this.#session.call('commit_alerts', [namespace, topic, position]),
      close: () => this.#leave(reading),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#readings.map((reading) => this.#leave(reading)));
    await this.#session.close();
  }

  async #leave(reading: AlertReading): Promise<void> {
    this.#readings = this.#readings.filter((other) => other !== reading);
    await reading.close();
  }
}
