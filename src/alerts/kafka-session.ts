import type { Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { KilldrillError } from '../errors.ts';
import { within } from '../within.ts';
import type { BusMember, BusSession, PartitionReader } from './alert-bus.ts';
import { kafkaFailed, openKafka } from './kafka-client.ts';
import type { KafkaClient } from './kafka-client.ts';
import { fromKafka } from './kafka-message.ts';
import type { KafkaSettings } from './kafka-options.ts';

/**
 * Attempts of one request, two seconds of them: a cluster's first group finds its coordinator still being made. Not more: what is
 * lost is joined anew by whoever has the session.
 */
const RETRIES = 12;
/** kafkajs stops a consumer before it tells why. */
const REASON_MS = 100;

export interface KafkaSessionParts {
  readonly settings: KafkaSettings;
  /** A consumer group that nobody had before: no rebalance, and nobody else's death, is waited for. */
  readonly groupId: string;
  readonly member: BusMember;
  readonly readers: ReadonlyMap<number, PartitionReader>;
  /** Called once, when it ends, however that comes. */
  readonly ended: (session: KafkaSession) => void;
}

interface Reading {
  readonly reader: PartitionReader;
  /** The first message that has not been delivered yet. */
  next: number;
}

type State = 'joining' | 'joined' | 'ended';

/**
 * One generation of a consumer group of our own, with every partition of the topic. kafkajs would go on by itself after a
 * rebalance, and read on from what was committed, or from the beginning; here the session is lost then, and whoever joins
 * anew says where to start.
 */
export class KafkaSession implements BusSession {
  readonly #parts: KafkaSessionParts;
  readonly #client: KafkaClient;
  readonly #consumer: Consumer;
  readonly #readings: ReadonlyMap<number, Reading>;
  #state: State = 'joining';
  #settleJoin: (error: Error | null) => void = () => undefined;
  #closing: Promise<void> | null = null;

  constructor(parts: KafkaSessionParts) {
    this.#parts = parts;
    const { cluster, timings } = parts.settings;
    const { sessionMs, heartbeatMs, fetchWaitMs, metadataMs } = timings;
    this.#client = openKafka(cluster, timings, RETRIES);
    this.#consumer = this.#client.kafka.consumer({
      groupId: parts.groupId,
      sessionTimeout: sessionMs,
      rebalanceTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: fetchWaitMs,
      minBytes: 1,
      metadataMaxAge: metadataMs,
      allowAutoTopicCreation: false,
      retry: {
        retries: RETRIES,
        initialRetryTime: 30,
        maxRetryTime: 200,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
    this.#readings = new Map([...parts.readers].map(([at, reader]) => [at, { reader, next: reader.position }]));
    this.#listen();
  }

  /** Joins, and reads each partition from where its reader wants it. @throws KilldrillError `KAFKA_FAILED` */
  async join(): Promise<void> {
    const { topic, timings, clock, cluster } = this.#parts.settings;
    const { joinMs } = timings;
    try {
      await within(clock, joinMs, this.#join(topic), () => new Error(`not joined within ${joinMs} ms`));
    } catch (error) {
      await this.close();
      throw kafkaFailed(`joining ${topic}`, cluster.brokers, error);
    }
  }

  async commit(partition: number, position: number): Promise<void> {
    await this.commitAll(new Map([[partition, position]]));
  }

  /** Commits the positions of several partitions at once. */
  async commitAll(positions: ReadonlyMap<number, number>): Promise<void> {
    const { topic, timings, clock, cluster } = this.#parts.settings;
    if (this.#state !== 'joined')
      throw new KilldrillError('KAFKA_SESSION_ENDED', `the session on ${topic} has ended; its commits are not taken`);
    const offsets = [...positions].map(([partition, position]) => ({ topic, partition, offset: String(position) }));
    const { callMs } = timings;
    const late = (): Error => new Error(`no answer within ${callMs} ms`);
    try {
      await within(clock, callMs, this.#consumer.commitOffsets(offsets), late);
    } catch (error) {
      throw kafkaFailed(`committing positions of ${topic}`, cluster.brokers, error);
    }
  }

  close(): Promise<void> {
    this.#state = 'ended';
    return (this.#closing ??= this.#close());
  }

  async #join(topic: string): Promise<void> {
    const joined = new Promise<void>((resolve, reject) => {
      this.#settleJoin = (error) => (error === null ? resolve() : reject(error));
    });
    joined.catch(() => undefined); // it may fail before anybody waits for it
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    const run = this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: Math.max(1, this.#readings.size),
      eachBatch: (payload) => this.#take(payload),
    });
    // In the same tick, so before anything is fetched: the first fetch begins here, and not where the group stands.
    for (const [partition, { next }] of this.#readings) {
      this.#consumer.seek({ topic, partition, offset: String(next) });
    }
    run.catch((error: unknown) => this.#fail(error));
    await joined;
  }

  #listen(): void {
    const { events } = this.#consumer;
    const { member } = this.#parts;
    // Each answer of the broker, and nothing else: kafkajs tells of a fetch also when its connection was lost.
    this.#consumer.on(events.REQUEST, () => {
      if (this.#state === 'joined') member.alive();
    });
    this.#consumer.on(events.GROUP_JOIN, (event) => this.#onJoin(event));
    this.#consumer.on(events.CRASH, ({ payload }: ConsumerCrashEvent) => this.#fail(payload.error));
    this.#consumer.on(events.REBALANCING, () => this.#fail(new Error('the group was rebalanced')));
    this.#consumer.on(events.DISCONNECT, () => {
      const { clock } = this.#parts.settings;
      if (this.#state !== 'ended')
        clock.after(REASON_MS, () => this.#fail(new Error('the consumer stopped by itself')));
    });
  }

  #onJoin({ payload }: ConsumerGroupJoinEvent): void {
    if (this.#state !== 'joining') return this.#fail(new Error('the group was joined anew'));
    const got = new Set(payload.memberAssignment[this.#parts.settings.topic]);
    const missing = [...this.#readings.keys()].filter((partition) => !got.has(partition));
    if (missing.length > 0 || got.size !== this.#readings.size)
      return this.#fail(new Error(`it has partitions ${[...got].join(', ')} instead of ${this.#readings.size}`));
    this.#state = 'joined';
    this.#parts.member.alive();
    this.#settleJoin(null);
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const reading = this.#readings.get(batch.partition);
    const messages = batch.messages.map((message) => fromKafka(batch.topic, batch.partition, message));
    const [first, last] = [messages[0], messages.at(-1)];
    if (reading === undefined || this.#state !== 'joined' || first === undefined || last === undefined) return;
    if (first.position < reading.next) {
      // kafkajs starts over when a position is out of range: the topic was made anew, or cut short.
      return this.#fail(new Error(`${batch.partition} went back from ${reading.next} to ${first.position}`));
    }
    const delivered = reading.reader.deliver(messages).catch((error: unknown) => this.#fail(error));
    payload.resolveOffset(String(last.position));
    reading.next = last.position + 1;
    await this.#pausedUntil(delivered, () => payload.pause());
  }

  /** A reader that has to wait must not keep the other partitions, or the heartbeat, waiting. */
  async #pausedUntil(delivered: Promise<void>, pause: () => () => void): Promise<void> {
    const { clock, timings } = this.#parts.settings;
    const late = Symbol('late');
    const inTime = within<unknown>(clock, timings.deliverMs, delivered, () => new Error('late')).catch(() => late);
    if ((await inTime) !== late || this.#state !== 'joined') return;
    const resume = pause();
    void delivered.then(() => {
      if (this.#state === 'joined') resume();
    });
  }

  #fail(error: unknown): void {
    const { settings, member, groupId } = this.#parts;
    const { topic, cluster } = settings;
    if (this.#state === 'joining') return this.#settleJoin(kafkaFailed(`joining ${topic}`, cluster.brokers, error));
    if (this.#state === 'ended') return;
    const lost = kafkaFailed(`reading ${topic} as ${groupId}`, cluster.brokers, error);
    void this.close();
    member.lost(lost);
  }

  async #close(): Promise<void> {
    const { clock, timings } = this.#parts.settings;
    for (const { reader } of this.#readings.values()) reader.revoked();
    this.#parts.ended(this);
    const left = this.#consumer.disconnect();
    await within(clock, timings.closeMs, left, () => new Error('late')).catch(() => undefined);
    this.#client.destroy();
  }
}
