import { setTimeout as pause } from 'node:timers/promises';
import type { AlertBus, BusMember, BusMessage, BusSession, PartitionReader } from '../../../src/alerts/alert-bus.ts';

/** Where to start: at what was committed, or at the earliest, unless a test says otherwise. */
type ChooseStart = (partition: number, committed: number | null) => Promise<number> | number;

interface Assignment {
  readonly partition: number;
  readonly committed: number | null;
  readonly start: number;
  isRevoked: boolean;
  /** Positions in the order in which they came, repeats included. */
  readonly positions: number[];
}

interface Stay {
  session: BusSession | null;
  isOver: boolean;
}

const REJOIN_MS = 25;

/** A member that remembers what the bus tells it, and joins again whenever it is lost. */
export class RecordingMember {
  readonly assignments: Assignment[] = [];
  readonly delivered: BusMessage[] = [];
  readonly losses: Error[] = [];
  /** Signs of life. */
  signs = 0;
  /** Most deliveries of one partition under way at once; one is what the port allows. */
  mostAtOnce = 0;
  /** Runs within each delivery. */
  onDeliver: (messages: readonly BusMessage[]) => Promise<void> | void = () => undefined;
  readonly #bus: AlertBus;
  readonly #chooseStart: ChooseStart;
  readonly #underWay = new Map<number, number>();
  #stay: Stay = { session: null, isOver: true };
  #isClosed = false;

  constructor(bus: AlertBus, chooseStart?: ChooseStart) {
    this.#bus = bus;
    this.#chooseStart =
      chooseStart ?? (async (partition, committed) => committed ?? (await bus.range(partition)).earliest);
  }

  async join(): Promise<void> {
    const stay: Stay = { session: null, isOver: false };
    this.#stay = stay;
    stay.session = await this.#bus.join(this.#asMember(stay));
    if (stay.isOver || this.#isClosed) await stay.session.close();
  }

  /** Fails as long as it is in no session. */
  commit(partition: number, position: number): Promise<void> {
    const { session } = this.#stay;
    if (session === null) throw new Error('this member has no session');
    return session.commit(partition, position);
  }

  /** Ends its session, and joins no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { session } = this.#stay;
    this.#stay.isOver = true;
    await session?.close();
  }

  /** What came, without repeats, in the order in which it first came. */
  bodies(): readonly string[] {
    return [...new Set(this.delivered.map(({ bytes }) => Buffer.from(bytes).toString()))];
  }

  #asMember(stay: Stay): BusMember {
    return {
      assigned: (partition, committed) => this.#assigned(partition, committed),
      alive: () => void (this.signs += 1),
      lost: (error) => {
        this.losses.push(error);
        stay.isOver = true;
        void this.#joinAgain();
      },
    };
  }

  async #assigned(partition: number, committed: number | null): Promise<PartitionReader> {
    const start = await this.#chooseStart(partition, committed);
    const assignment: Assignment = { partition, committed, start, isRevoked: false, positions: [] };
    this.assignments.push(assignment);
    return {
      position: start,
      deliver: (messages) => this.#take(assignment, messages),
      revoked: () => void (assignment.isRevoked = true),
    };
  }

  async #take(assignment: Assignment, messages: readonly BusMessage[]): Promise<void> {
    const { partition, positions } = assignment;
    const underWay = (this.#underWay.get(partition) ?? 0) + 1;
    this.#underWay.set(partition, underWay);
    this.mostAtOnce = Math.max(this.mostAtOnce, underWay);
    try {
      positions.push(...messages.map(({ position }) => position));
      this.delivered.push(...messages);
      await this.onDeliver(messages);
    } finally {
      this.#underWay.set(partition, (this.#underWay.get(partition) ?? 1) - 1);
    }
  }

  async #joinAgain(): Promise<void> {
    while (!this.#isClosed) {
      try {
        return await this.join();
      } catch (error) {
        this.losses.push(error instanceof Error ? error : new Error(String(error)));
        await pause(REJOIN_MS);
      }
    }
  }
}
