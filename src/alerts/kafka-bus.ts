import { Partitioners } from 'kafkajs';
import type { Admin, Message, Producer } from 'kafkajs';
import { KilldrillError, messageOf } from '../errors.ts';
import type { AlertBus, BusMember, BusSession, ConnectingPublisher, DeadLetter, PartitionRange } from './alert-bus.ts';
import { Kept, brokerCode, openKafka } from './kafka-client.ts';
import type { KafkaClient } from './kafka-client.ts';
import { KafkaGroups } from './kafka-groups.ts';
import { deadLetterToKafka, toKafka } from './kafka-message.ts';
import { resolveKafkaOptions } from './kafka-options.ts';
import type { KafkaBusOptions, KafkaSettings } from './kafka-options.ts';
import { KafkaSession } from './kafka-session.ts';

/** Dead letters of one request have at most so many bytes of alerts; a broker takes about a mebibyte by default. */
const LETTERS_BYTES = 512 * 1_024;
/** A cluster that has just started, or never had a group, is still making what coordinates groups; kafkajs gives up at once. */
const COORDINATOR_TO_COME: ReadonlySet<string> = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);
const COORDINATOR_LOOK_MS = 50;
/** What is kept of an alert that the dead-letter topic does not take whole. */
const CUT_BYTES = 64 * 1_024;

/**
 * Alerts on Kafka: the publisher's side and the executor's side of one topic.
 *
 * Every executor reads every partition, in a consumer group of its own that is new with each session. So a stop waits for
 * no rebalance and for nobody else's death; several executors are safe, since the store takes each alert once. Positions
 * are set before the first fetch, and committed by hand as a hint for the next session.
 *
 * The topics have to be there (`createAlertTopics`).
 */
export class KafkaBus implements AlertBus, ConnectingPublisher {
  readonly topic: string;
  readonly #settings: KafkaSettings;
  readonly #producer: Kept<Producer>;
  readonly #admin: Kept<Admin>;
  readonly #groups: KafkaGroups;
  readonly #sessions = new Set<KafkaSession>();

  /** @throws KilldrillError `KAFKA_OPTIONS`; a broker is not needed yet. */
  constructor(options: KafkaBusOptions) {
    const settings = resolveKafkaOptions(options);
    const { cluster, timings, clock } = settings;
    const open = (): KafkaClient => openKafka(cluster, timings, 0);
    const kept = { clock, callMs: timings.callMs, brokers: cluster.brokers, open };
    this.topic = settings.topic;
    this.#settings = settings;
    this.#producer = new Kept({
      ...kept,
      connect: async (kafka) => {
        const producer = kafka.producer({
          createPartitioner: Partitioners.DefaultPartitioner,
          allowAutoTopicCreation: false,
          retry: { retries: 0 },
        });
        await producer.connect();
        return producer;
      },
    });
    this.#admin = new Kept({
      ...kept,
      connect: async (kafka) => {
        const admin = kafka.admin();
        await admin.connect();
        return admin;
      },
    });
    this.#groups = new KafkaGroups(this.#admin, settings);
  }

  publish(bytes: Uint8Array, signature: string | null, key: string): Promise<void> {
    return this.#produce('publishing an alert', this.topic, [toKafka(bytes, signature, key)]);
  }

  /** Sends nothing: that has the client look up where the topic is, and connect to it. */
  connect(): Promise<void> {
    return this.#produce('connecting a publisher', this.topic, []);
  }

  async range(partition: number): Promise<PartitionRange> {
    const offsets = await this.#admin.use(`the range of ${this.topic}`, (admin) => admin.fetchTopicOffsets(this.topic));
    const found = offsets.find((one) => one.partition === partition);
    if (found !== undefined) return { earliest: Number(found.low), end: Number(found.high) };
    const message = `${this.topic} has no partition ${partition}, expected less than ${offsets.length}`;
    throw new KilldrillError('BUS_PARTITION', message);
  }

  async deadLetter(letters: readonly DeadLetter[]): Promise<void> {
    for (const batch of batchesOf(letters)) await this.#keep(batch);
  }

  async join(member: BusMember): Promise<BusSession> {
    const { clock, timings } = this.#settings;
    const giveUpMs = clock.monotonicMs() + timings.joinMs / 2;
    for (;;) {
      try {
        return await this.#join(member);
      } catch (error) {
        if (!COORDINATOR_TO_COME.has(brokerCode(error) ?? '') || clock.monotonicMs() > giveUpMs) throw error;
        await new Promise<void>((resolve) => void clock.after(COORDINATOR_LOOK_MS, resolve));
      }
    }
  }

  async #join(member: BusMember): Promise<BusSession> {
    const { newId, onError } = this.#settings;
    const [partitions, committed] = await Promise.all([
      this.#partitions(),
      this.#groups.committed().catch((error: unknown) => {
        onError(toError(error)); // a hint only: the store's word counts
        return new Map<number, number>();
      }),
    ]);
    const readers = new Map(
      await Promise.all(
        partitions.map(async (at) => [at, await member.assigned(at, committed.get(at) ?? null)] as const),
      ),
    );
    const groupId = this.#groups.nameOf(newId());
    const ended = (one: KafkaSession): void => {
      this.#groups.leave();
      this.#sessions.delete(one);
    };
    const session = new KafkaSession({ settings: this.#settings, groupId, member, readers, ended });
    this.#sessions.add(session);
    await session.join();
    const known = new Map([...committed].filter(([at]) => readers.has(at)));
    this.#groups.inherit(groupId, () => (known.size === 0 ? Promise.resolve() : session.commitAll(known)));
    return session;
  }

  /** Ends what this bus has open, its sessions included. */
  async close(): Promise<void> {
    this.#groups.leave();
    await Promise.all([...this.#sessions].map((session) => session.close()));
    this.#producer.close();
    this.#admin.close();
  }

  async #partitions(): Promise<readonly number[]> {
    const { topics } = await this.#admin.use(`looking up ${this.topic}`, (admin) =>
      admin.fetchTopicMetadata({ topics: [this.topic] }),
    );
    return (topics[0]?.partitions ?? []).map(({ partitionId }) => partitionId).toSorted((one, other) => one - other);
  }

  async #produce(what: string, topic: string, messages: Message[]): Promise<void> {
    await this.#producer.use(what, (producer) => producer.send({ topic, messages, acks: -1 }));
  }

  /** One request; letter by letter if it is too much for the topic, and cut if one alone is. */
  async #keep(letters: readonly DeadLetter[], mostBytes = Number.POSITIVE_INFINITY): Promise<void> {
    const messages = letters.map((letter) => deadLetterToKafka(letter, mostBytes));
    try {
      await this.#produce('keeping dead letters', this.#settings.deadTopic, messages);
    } catch (error) {
      if (brokerCode(error) !== 'MESSAGE_TOO_LARGE' || mostBytes === CUT_BYTES) throw error;
      for (const letter of letters) await this.#keep([letter], letters.length === 1 ? CUT_BYTES : mostBytes);
    }
  }
}

function batchesOf(letters: readonly DeadLetter[]): readonly (readonly DeadLetter[])[] {
  const batches: DeadLetter[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const letter of letters) {
    bytes += letter.message.bytes.length;
    const batch = batches.at(-1);
    if (batch !== undefined && bytes <= LETTERS_BYTES) batch.push(letter);
    else {
      batches.push([letter]);
      bytes = letter.message.bytes.length;
    }
  }
  return batches;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}
