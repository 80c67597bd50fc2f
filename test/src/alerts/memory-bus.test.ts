import { randomUUID } from 'node:crypto';
import type { BusMember, BusSession } from '../../../src/alerts/alert-bus.ts';
import { MemoryBus, MemoryTopic } from '../../../src/alerts/memory-bus.ts';
import { systemClock } from '../../../src/clock.ts';
import { describeBusContract } from './alert-bus-contract.ts';

const FACTS = { partitions: 3, waitMs: 4_000 };
const HEARTBEAT_MS = 5;

/** Knows its sessions, so that they can be ended from outside. */
class EndableBus extends MemoryBus {
  readonly #sessions = new Set<BusSession>();

  override async join(member: BusMember): Promise<BusSession> {
    const session = await super.join(member);
    this.#sessions.add(session);
    return session;
  }

  async end(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }
}

describeBusContract('memory', FACTS, async () => ({
  openTopic: async () => {
    const log = new MemoryTopic(`alerts-${randomUUID()}`, FACTS.partitions, () => systemClock.wallMs());
    const heart = setInterval(() => log.pulse(), HEARTBEAT_MS);
    return {
      topic: log.topic,
      publisher: new MemoryBus(log),
      open: async () => {
        const bus = new EndableBus(log);
        return { bus, kill: () => bus.end(), close: () => bus.end() };
      },
      deadLetters: async () => log.deadLetters,
      forget: async (partition, earliest) => log.forget(partition, earliest),
      restart: async () => log.restart(),
      close: async () => clearInterval(heart),
    };
  },
  close: async () => undefined,
}));
