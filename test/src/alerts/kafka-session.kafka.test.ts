import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import type { BusMember, BusMessage } from '../../../src/alerts/alert-bus.ts';
import { KafkaBus } from '../../../src/alerts/kafka-bus.ts';
import type { DrillTopics } from '../../../harness/environment/environment.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import type { TestBroker } from '../../support/kafka-broker.ts';

const WAIT = { timeout: 30_000, interval: 10 };
const { kafka: why } = inject('infrastructure');

/** What only Kafka does: its contract is in `kafka-bus.kafka.test.ts`. */
describe.skipIf(why !== null)(`a session on Kafka${why === null ? '' : ` (${why})`}`, () => {
  let broker: TestBroker;
  let admin: Admin;
  let topics: DrillTopics;
  const open: KafkaBus[] = [];

  beforeAll(async () => {
    broker = await startTestBroker();
    admin = new Kafka({ brokers: [broker.kafka.door('tests').brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await broker?.close();
  });
  beforeEach(async () => {
    topics = await broker.kafka.createTopics(`t${randomUUID()}`);
    return async () => {
      await Promise.all(open.splice(0).map((bus) => bus.close()));
    };
  });

  function busOf(member = 'executor', door = 'handle'): KafkaBus {
    const { alerts: topic, deadLetters: deadTopic, group } = topics;
    const brokers = [broker.kafka.door(door).brokers];
    const bus = new KafkaBus({ brokers, topic, deadTopic, group, member, newId: randomUUID });
    open.push(bus);
    return bus;
  }

  /** Reads everything from the start; `hold` keeps its deliveries waiting. */
  function recorder(hold: (partition: number) => Promise<void> | void = () => undefined) {
    const came: BusMessage[] = [];
    const lost: Error[] = [];
    let signs = 0;
    const member: BusMember = {
      assigned: async (partition) => ({
        position: 0,
        deliver: async (messages) => {
          came.push(...messages);
          await hold(partition);
        },
        revoked: () => undefined,
      }),
      alive: () => void (signs += 1),
      lost: (error) => void lost.push(error),
    };
    return { came, lost, signs: () => signs, member };
  }

  const groupsOf = async () => {
    const { groups } = await admin.listGroups();
    return groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${topics.group}.`));
  };

  test('leaves one group of its executor behind at most: those before it are deleted', async () => {
    for (let stay = 0; stay < 4; stay += 1) {
      const bus = busOf();
      const session = await bus.join(recorder().member);
      await vi.waitFor(async () => expect(await groupsOf()).toHaveLength(1), WAIT);
      await session.close();
      await bus.close();
    }
    expect(await groupsOf()).toHaveLength(1);
  });

  test('hands on what an executor had committed, though its group is deleted', async () => {
    await busOf('publisher').publish(Buffer.from('one'), null, 'key');
    const first = recorder();
    const bus = busOf();
    const session = await bus.join(first.member);
    await vi.waitFor(() => expect(first.came).toHaveLength(1), WAIT);
    const partition = first.came[0]?.partition ?? -1;
    await session.commit(partition, 1);
    await bus.close();
    for (let stay = 0; stay < 2; stay += 1) {
      const told = new Map<number, number | null>();
      const { member } = recorder();
      const next = busOf();
      await next.join({
        ...member,
        assigned: (at, committed) => {
          told.set(at, committed);
          return member.assigned(at, committed);
        },
      });
      expect(told.get(partition)).toBe(1);
      await vi.waitFor(async () => expect(await groupsOf()).toHaveLength(1), WAIT);
      await next.close();
    }
  });

  test('reads the other partitions on while one of its deliveries waits', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const publisher = busOf('publisher');
    await publisher.publish(Buffer.from('first'), null, 'key 0');
    const reader = recorder((partition) => (partition === reader.came[0]?.partition ? held : undefined));
    await busOf().join(reader.member);
    await vi.waitFor(() => expect(reader.came).toHaveLength(1), WAIT);
    const stuck = reader.came[0]?.partition;
    for (let number = 0; number < 40; number += 1)
      await publisher.publish(Buffer.from(`${number}`), null, `key ${number}`);
    const others = () => new Set(reader.came.map(({ partition }) => partition));
    await vi.waitFor(() => expect(others().size).toBe(4), WAIT);
    const signs = reader.signs();
    await vi.waitFor(() => expect(reader.signs()).toBeGreaterThan(signs), WAIT);
    expect(reader.came.filter(({ partition }) => partition === stuck)).toHaveLength(1);
    release();
    await vi.waitFor(() => expect(reader.came).toHaveLength(41), WAIT);
    expect(reader.lost).toEqual([]);
  });

  test.each(['half-open', 'cut'] as const)(
    'shows no sign of life on a connection that is %s, and may be lost',
    async (kind) => {
      const reader = recorder();
      const bus = busOf('executor', `silent ${kind}`);
      const session = await bus.join(reader.member);
      const { proxy } = broker.kafka.door(`silent ${kind}`);
      const fault = proxy?.apply(kind === 'cut' ? { kind } : { kind, direction: 'both' });
      const quietFrom = performance.now();
      let before = reader.signs();
      let sinceMs = quietFrom;
      await vi.waitFor(() => {
        if (reader.signs() !== before) [before, sinceMs] = [reader.signs(), performance.now()];
        expect(performance.now() - sinceMs).toBeGreaterThan(2_000);
      }, WAIT);
      await session.close();
      fault?.undo();
      expect(reader.lost.length).toBeLessThanOrEqual(1);
    },
  );

  test('is lost when its topic is made anew, and a new one reads what comes there', async () => {
    const publisher = busOf('publisher');
    for (const text of ['old 1', 'old 2', 'old 3']) await publisher.publish(Buffer.from(text), null, 'key');
    const reader = recorder();
    const bus = busOf();
    await bus.join(reader.member);
    await vi.waitFor(() => expect(reader.came).toHaveLength(3), WAIT);
    const { alerts: topic } = topics;
    await admin.deleteTopics({ topics: [topic] });
    await vi.waitFor(async () => expect(await admin.listTopics()).not.toContain(topic), WAIT);
    await admin.createTopics({ topics: [{ topic, numPartitions: 4 }], waitForLeaders: true });
    await vi.waitFor(() => publisher.publish(Buffer.from('new'), null, 'key'), WAIT);
    await vi.waitFor(() => expect(reader.lost).toHaveLength(1), WAIT);
    const again = recorder();
    await vi.waitFor(() => bus.join(again.member), WAIT);
    await vi.waitFor(() => expect(again.came.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['new']), WAIT);
  });

  test('takes no commit once it has ended', async () => {
    const session = await busOf().join(recorder().member);
    await session.close();
    await expect(session.commit(0, 1)).rejects.toMatchObject({ code: 'KAFKA_SESSION_ENDED' });
  });

  test('cannot be had where the topic is not there, and says so within its bound', async () => {
    const { deadLetters: deadTopic, group } = topics;
    const brokers = [broker.kafka.door('handle').brokers];
    const bus = new KafkaBus({ brokers, topic: 'nowhere', deadTopic, group, newId: randomUUID });
    open.push(bus);
    await expect(bus.join(recorder().member)).rejects.toMatchObject({
      code: 'KAFKA_FAILED',
      message: expect.stringContaining('nowhere'),
    });
    await expect(bus.publish(Buffer.from('x'), null, 'key')).rejects.toMatchObject({ code: 'KAFKA_FAILED' });
  });

  test('joins again and again, and delivers each alert that is published (prints how long that takes)', async () => {
    const joins: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const bus = busOf(`member-${round}`);
      const fromMs = performance.now();
      await bus.join(recorder().member);
      joins.push(performance.now() - fromMs);
      await bus.close();
    }
    const reader = recorder();
    await busOf().join(reader.member);
    const publisher = busOf('publisher');
    const took: number[] = [];
    for (let number = 0; number < 300; number += 1) {
      const fromMs = performance.now();
      await publisher.publish(Buffer.from(`${number}`), null, `key ${number}`);
      await vi.waitFor(() => expect(reader.came).toHaveLength(number + 1), { timeout: 30_000, interval: 1 });
      took.push(performance.now() - fromMs);
    }
    const at = (all: readonly number[], share: number) =>
      Math.round((all.toSorted((one, other) => one - other)[Math.floor(all.length * share)] ?? 0) * 10) / 10;
    console.log(
      `join (n=10) p50 ${at(joins, 0.5)} ms, worst ${at(joins, 0.99)} ms; publish to delivery (n=300) p50 ${at(took, 0.5)} ms, p99 ${at(took, 0.99)} ms`,
    );
    expect(reader.lost).toEqual([]);
  });
});
