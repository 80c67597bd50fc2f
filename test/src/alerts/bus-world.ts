import { vi } from 'vitest';
import type { AlertBus, AlertPublisher, DeadLetter } from '../../../src/alerts/alert-bus.ts';
import { RecordingMember } from './bus-member.ts';

/** What a kind of bus says of itself before it is started. */
export interface BusFacts {
  /** Partitions of each topic that it makes. */
  readonly partitions: number;
  /** Longest wait for anything, milliseconds: rebalances of Kafka take seconds. */
  readonly waitMs: number;
}

/** A kind of bus that keeps the contract. */
export interface BusKind {
  /** A topic that nobody used, with its dead letters. */
  openTopic(): Promise<BusTopic>;
  close(): Promise<void>;
}

export interface BusTopic {
  readonly topic: string;
  readonly publisher: AlertPublisher;
  /** What another process holds; all of them are of one group. */
  open(): Promise<BusHandle>;
  /** Every dead letter that is kept, repeats included, in any order. */
  deadLetters(): Promise<readonly DeadLetter[]>;
  /** As retention does: what is before `earliest` is gone. */
  forget(partition: number, earliest: number): Promise<void>;
  /** The bus ends all connections and comes back; what it had acknowledged is still there. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface BusHandle {
  readonly bus: AlertBus;
  /** As kill -9 of its process: its connections end, and it leaves no word. The handle is used no more. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** One topic and its readers, new for each test. */
export class BusWorld {
  readonly facts: BusFacts;
  #opened: BusTopic | null = null;
  #members: RecordingMember[] = [];
  #handles: BusHandle[] = [];

  constructor(facts: BusFacts) {
    this.facts = facts;
  }

  async open(kind: BusKind): Promise<void> {
    [this.#members, this.#handles] = [[], []];
    this.#opened = await kind.openTopic();
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close().catch(() => undefined)));
    await Promise.all(this.#handles.map((handle) => handle.close().catch(() => undefined)));
    await this.topic.close();
  }

  get topic(): BusTopic {
    if (this.#opened === null) throw new Error('the topic is opened before each test, not while tests are collected');
    return this.#opened;
  }

  async handle(): Promise<BusHandle> {
    const handle = await this.topic.open();
    this.#handles.push(handle);
    return handle;
  }

  /** A member that has joined, on a handle of its own unless one is given. */
  async join(given: { bus?: AlertBus; start?: (partition: number) => number } = {}): Promise<RecordingMember> {
    const bus = given.bus ?? (await this.handle()).bus;
    const member = new RecordingMember(bus, given.start);
    this.#members.push(member);
    await member.join();
    return member;
  }

  /** Publishes texts one after another, unsigned. */
  async publish(texts: readonly string[], key = 'tenant acme'): Promise<void> {
    for (const text of texts) await this.topic.publisher.publish(Buffer.from(text), null, key);
  }

  /** Publishes each until the bus has it; a text whose acknowledgement was lost is there twice. */
  async publishStubbornly(texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.until(() => this.publish([text]));
  }

  until<T>(look: () => Promise<T> | T): Promise<T> {
    return vi.waitFor(look, { timeout: this.facts.waitMs, interval: 10 });
  }
}

/** Texts of a series: `name 0`, `name 1` and so on. */
export function texts(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `${name} ${number}`);
}
