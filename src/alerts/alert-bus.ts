/** One message of a bus, and where it stands there. */
export interface BusMessage {
  readonly topic: string;
  readonly partition: number;
  /** Its number within the partition. */
  readonly position: number;
  readonly bytes: Uint8Array;
  /** Base64, as it travelled beside the bytes; null when there was none. */
  readonly signature: string | null;
  /** When it got onto the bus, wall-clock milliseconds by the bus's account; the same at each reading. */
  readonly publishedAtMs: number;
}

/** What could not be read, or may not do what it asks for. */
export interface DeadLetter {
  readonly message: BusMessage;
  readonly code: string;
  readonly why: string;
}

/** Where a partition begins and ends now: the first message that is still there, and the one that comes next. */
export interface PartitionRange {
  readonly earliest: number;
  readonly end: number;
}

/** The detector's side of a bus. */
export interface AlertPublisher {
  /** Resolves once the bus has it for certain. `key` chooses the partition: alerts of one key keep their order. */
  publish(bytes: Uint8Array, signature: string | null, key: string): Promise<void>;
}

/** A publisher that keeps a connection, which is otherwise made by the first alert: the one that should be quickest. */
export interface ConnectingPublisher extends AlertPublisher {
  /** Connects if need be; nobody has to call it. Rejects when that fails, and the next alert tries again. */
  connect(): Promise<void>;
}

/**
 * The executor's side of a bus. Drivers (Kafka, PostgreSQL, memory) implement it and pass one contract suite. Every
 * method takes a bounded time of its own driver's and rejects afterwards; none retries.
 */
export interface AlertBus {
  readonly topic: string;
  range(partition: number): Promise<PartitionRange>;
  /** Resolves once each of these is kept for certain. A letter may be kept twice, but none is lost. */
  deadLetter(letters: readonly DeadLetter[]): Promise<void>;
  /** Takes part in reading. The bus may give each partition to one member or to all of them. */
  join(member: BusMember): Promise<BusSession>;
}

/** What a bus tells of while a session lasts. It may throw nothing. */
export interface BusMember {
  /**
   * The partition is this member's from now on. Nothing of it is delivered before this has answered with where to start.
   * `committed` is what was committed to the bus last.
   */
  assigned(partition: number, committed: number | null): Promise<PartitionReader>;
  /** Any sign of life: a fetch or a heartbeat was answered, whether or not it brought anything. */
  alive(): void;
  /** The session has ended by itself; called once. */
  lost(error: Error): void;
}

/** One assignment of one partition. A later assignment has a reader of its own, so that late deliveries hurt nobody. */
export interface PartitionReader {
  /** The first message that is wanted. */
  readonly position: number;
  /** Takes messages, in order; the next come only once this has resolved. At least once each: a message may come again. */
  deliver(messages: readonly BusMessage[]): Promise<void>;
  /** The partition may be somebody else's now. */
  revoked(): void;
}

export interface BusSession {
  /** Tells the bus that everything before `position` is done. A hint for when the store is away; the store's word counts. */
  commit(partition: number, position: number): Promise<void>;
  close(): Promise<void>;
}
