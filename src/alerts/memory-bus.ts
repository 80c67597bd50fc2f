import { KilldrillError } from '../errors.ts';
import type {
  AlertBus,
  AlertPublisher,
  BusMember,
  BusMessage,
  BusSession,
  DeadLetter,
  PartitionRange,
  PartitionReader,
} from './alert-bus.ts';

export type BusOperation = 'range' | 'deadLetter' | 'join' | 'commit' | 'deliver';

/** Where a test may interleave. Each may throw: before, the call never reached the bus; after, its answer was lost. */
export interface MemoryBusHooks {
  readonly before?: (operation: BusOperation) => Promise<void> | void;
  readonly after?: (operation: BusOperation) => Promise<void> | void;
}

interface Partition {
  earliest: number;
  readonly messages: BusMessage[];
  committed: number | null;
  owner: Membership | null;
}

/** A bus that lives in this process: one topic, its dead letters, and one group that reads it. Tests may read it as it is. */
export class MemoryTopic {
  readonly topic: string;
  readonly partitions: readonly Partition[];
  readonly deadLetters: DeadLetter[] = [];
  readonly #now: () => number;
  readonly #members = new Set<Membership>();

  /** `now` makes the time of publishing, wall-clock milliseconds. */
  constructor(topic: string, partitionCount: number, now: () => number) {
    this.topic = topic;
    this.#now = now;
    this.partitions = Array.from({ length: partitionCount }, () => {
      return { earliest: 0, messages: [], committed: null, owner: null };
    });
  }

  /** Who takes part, in the order in which they joined. */
  get members(): readonly BusSession[] {
    return [...this.#members];
  }

  append(partition: number, bytes: Uint8Array, signature: string | null): BusMessage {
    const { messages, earliest, owner } = this.at(partition);
    const position = messages.at(-1) === undefined ? earliest : (messages.at(-1)?.position ?? 0) + 1;
    const message = { topic: this.topic, partition, position, bytes, signature, publishedAtMs: this.#now() };
    messages.push(message);
    owner?.wake(partition);
    return message;
  }

  /** As retention does: what is before `earliest` is gone. */
  forget(partition: number, earliest: number): void {
    const there = this.at(partition);
    there.earliest = Math.max(there.earliest, earliest);
    while ((there.messages[0]?.position ?? earliest) < earliest) there.messages.shift();
  }

  /** As a heartbeat that is answered; by hand, so that a test can have a silence. */
  pulse(): void {
    for (const member of this.#members) member.pulse();
  }

  /** As a bus that ends all sessions and comes back with what it had. */
  restart(): void {
    const restarted = new KilldrillError('BUS_RESTARTED', `${this.topic} ended all sessions; join again`);
    for (const member of [...this.#members]) member.lose(restarted);
  }

  /** Gives every partition away again, among the members that there are. `oblivious`: those who lose one are not told, and may write on. */
  rebalance(how: 'told' | 'oblivious' = 'told'): void {
    const members = [...this.#members];
    for (const [index, partition] of this.partitions.entries()) {
      const before = partition.owner;
      const place = before === null ? -1 : members.indexOf(before);
      const owner = members[(place + 1) % members.length] ?? null;
      if (owner === before && before !== null) continue;
      partition.owner = owner;
      if (how === 'told') before?.revoke(index);
      owner?.assign(index);
    }
  }

  admit(member: Membership): void {
    this.#members.add(member);
    for (const [index, partition] of this.partitions.entries()) {
      if (partition.owner !== null) continue;
      partition.owner = member;
      member.assign(index);
    }
  }

  dismiss(member: Membership): void {
    this.#members.delete(member);
    for (const partition of this.partitions) if (partition.owner === member) partition.owner = null;
    const [heir] = this.#members;
    if (heir !== undefined) this.admit(heir);
  }

  at(partition: number): Partition {
    const there = this.partitions[partition];
    if (there !== undefined) return there;
    throw new KilldrillError(
      'BUS_PARTITION',
      `${this.topic} has no partition ${partition}, expected less than ${this.partitions.length}`,
    );
  }

  rangeOf(partition: number): PartitionRange {
    const { earliest, messages } = this.at(partition);
    return { earliest, end: (messages.at(-1)?.position ?? earliest - 1) + 1 };
  }
}

/** Most messages in one delivery. */
const BATCH = 50;

/** One member's stay. */
class Membership implements BusSession {
  readonly #topic: MemoryTopic;
  readonly #member: BusMember;
  readonly #hooks: MemoryBusHooks;
  readonly #readers = new Map<number, { reader: PartitionReader; next: number; busy: boolean }>();
  #ended = false;

  constructor(topic: MemoryTopic, member: BusMember, hooks: MemoryBusHooks) {
    this.#topic = topic;
    this.#member = member;
    this.#hooks = hooks;
  }

  assign(partition: number): void {
    this.revoke(partition);
    this.#begin(partition).catch((error: unknown) => this.lose(error));
  }

  revoke(partition: number): void {
    this.#readers.get(partition)?.reader.revoked();
    this.#readers.delete(partition);
  }

  wake(partition: number): void {
    this.#pump(partition).catch((error: unknown) => this.lose(error));
  }

  pulse(): void {
    this.#member.alive();
  }

  lose(error: unknown): void {
    if (this.#ended) return;
    void this.close();
    this.#member.lost(error instanceof Error ? error : new Error(String(error)));
  }

  async commit(partition: number, position: number): Promise<void> {
    await this.#hooks.before?.('commit');
    const there = this.#topic.at(partition);
    // As Kafka, which refuses a commit of one who is no longer the owner.
    if (there.owner !== this)
      throw new KilldrillError('BUS_NOT_OWNER', `partition ${partition} is not this member's any more`);
    there.committed = position;
    await this.#hooks.after?.('commit');
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    for (const partition of this.#readers.keys()) this.revoke(partition);
    this.#topic.dismiss(this);
  }

  async #begin(partition: number): Promise<void> {
    const there = this.#topic.at(partition);
    const reader = await this.#member.assigned(partition, there.committed);
    if (this.#ended || there.owner !== this) return reader.revoked();
    this.#readers.set(partition, { reader, next: reader.position, busy: false });
    this.#member.alive();
    await this.#pump(partition);
  }

  async #pump(partition: number): Promise<void> {
    const reading = this.#readers.get(partition);
    if (reading === undefined || reading.busy) return;
    reading.busy = true;
    try {
      for (;;) {
        const { messages } = this.#topic.at(partition);
        const batch = messages.filter(({ position }) => position >= reading.next).slice(0, BATCH);
        const last = batch.at(-1);
        if (last === undefined || this.#ended || this.#readers.get(partition) !== reading) return;
        await this.#hooks.before?.('deliver');
        this.#member.alive();
        await reading.reader.deliver(batch);
        reading.next = last.position + 1;
      }
    } finally {
      reading.busy = false;
    }
  }
}

/** One process's handle on a memory topic. */
export class MemoryBus implements AlertBus, AlertPublisher {
  readonly topic: string;
  readonly #log: MemoryTopic;
  readonly #hooks: MemoryBusHooks;

  constructor(log: MemoryTopic, hooks: MemoryBusHooks = {}) {
    this.topic = log.topic;
    this.#log = log;
    this.#hooks = hooks;
  }

  async publish(bytes: Uint8Array, signature: string | null, key: string): Promise<void> {
    const sum = Buffer.from(key).reduce((total, byte) => total + byte, 0);
    this.#log.append(sum % this.#log.partitions.length, bytes, signature);
  }

  range(partition: number): Promise<PartitionRange> {
    return this.#do('range', () => this.#log.rangeOf(partition));
  }

  deadLetter(letters: readonly DeadLetter[]): Promise<void> {
    return this.#do('deadLetter', () => void this.#log.deadLetters.push(...letters));
  }

  join(member: BusMember): Promise<BusSession> {
    return this.#do('join', () => {
      const membership = new Membership(this.#log, member, this.#hooks);
      this.#log.admit(membership);
      return membership;
    });
  }

  async #do<T>(operation: BusOperation, work: () => T): Promise<T> {
    await this.#hooks.before?.(operation);
    const answer = work();
    await this.#hooks.after?.(operation);
    return answer;
  }
}
