import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import type { DrillTopics } from '../../../harness/environment/environment.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import type { TestBroker } from '../../support/kafka-broker.ts';
import { prepareDatabase } from '../store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../store/postgres/prepared-database.ts';
import { onKafka, openBusOf } from './bus-order.ts';
import { ExecutorOnServers } from './executor-on-servers.ts';
import { plainKafka, readLetters, withAdmin } from './kafka-letters.ts';
import { readTopic } from './read-topic.ts';
import { raw } from './samples.ts';

const WAIT = { timeout: 60_000, interval: 10 };
const { kafka: why } = inject('infrastructure');

/** As over PostgreSQL in `alert-executor.server.test.ts`; here what several partitions and a broker can do to it. */
describe.skipIf(why !== null)(`an executor over Kafka${why === null ? '' : ` (${why})`}`, () => {
  let database: PreparedDatabase;
  let owner: pg.Client;
  let broker: TestBroker;
  let address: string;
  let plain: Kafka;
  let topics: DrillTopics;
  let rig: ExecutorOnServers;

  beforeAll(async () => {
    database = await prepareDatabase();
    owner = await database.connect(database.ownerUrl);
    broker = await startTestBroker();
    address = broker.kafka.door('executors').brokers;
    plain = plainKafka([address]);
    return async () => {
      await broker.close();
      await database.close();
    };
  });
  beforeEach(async () => {
    topics = await broker.kafka.createTopics(`t${randomUUID()}`);
    rig = new ExecutorOnServers(database, owner, { bus: onKafka(address, topics) });
    await rig.open();
    return () => rig.close();
  });

  const reads = (one: ExecutorOnServers): Promise<void> =>
    vi.waitFor(() => expect(one.executor.status().isReading).toBe(true), WAIT);

  /** Stops of these tenants, each in the partition of its target; resolves once the broker has them all. */
  async function publish(tenants: readonly string[]): Promise<void> {
    for (const target of tenants) await rig.publish(rig.alert({ target }), `tenant:${target}`);
  }

  /** Until each of so many messages is on record, and the positions have passed them. */
  async function until(count: number): Promise<void> {
    await vi.waitFor(async () => expect((await rig.records()).length).toBe(count), WAIT);
    const sql =
      'select coalesce(sum(position), 0)::integer as passed from killdrill.alert_position where namespace = $1';
    const passed = async (): Promise<unknown> => (await owner.query(sql, [rig.namespace])).rows;
    await vi.waitFor(async () => expect(await passed()).toEqual([{ passed: count }]), WAIT);
  }

  const named = (name: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, number) => `${name}-${String(number).padStart(3, '0')}`);

  /** Each of these is stopped by exactly one flip: in the store, and in the executor's process. */
  async function expectStopped(tenants: readonly string[]): Promise<void> {
    expect((await rig.durable()).toSorted()).toEqual(tenants.toSorted());
    await vi.waitFor(() => expect(rig.targets().toSorted()).toEqual(tenants.toSorted()), WAIT);
    const flips = 'select count(*)::integer as flips from killdrill.flip where namespace = $1';
    expect((await owner.query(flips, [rig.namespace])).rows).toEqual([{ flips: tenants.length }]);
  }

  test('turns each alert of each partition into one stop, that another process enforces, and tells the broker how far it is', async () => {
    const another = await rig.follow();
    const tenants = named('t', 40);
    await publish(tenants);
    await until(40);
    await expectStopped(tenants);
    await vi.waitFor(() => expect(another.targets().toSorted()).toEqual(tenants), WAIT);
    const { messages, ends } = await read();
    expect([messages.length, [...ends.values()].filter((end) => end > 0).length]).toEqual([40, 4]);
    await vi.waitFor(async () => expect(await committed()).toEqual(ends), WAIT);
    expect(rig.executor.status()).toEqual({ isReading: true, backlog: 0, unanswered: 0 });
    expect(rig.errors).toEqual([]);
  });

  test('puts poison into the topic of dead letters with its reason, and stops what is behind it', async () => {
    const poison = named('poison', 100);
    await Promise.all(poison.map((text, number) => rig.publish(raw(text), `key ${number}`)));
    await publish(['acme']);
    await vi.waitFor(() => expect(rig.targets()).toEqual(['acme']), WAIT);
    await until(101);
    await expectStopped(['acme']);
    const letters = await readLetters(plain, topics.deadLetters);
    expect(letters.map(({ message }) => Buffer.from(message.bytes).toString()).toSorted()).toEqual(poison);
    const records = (await rig.records()).filter(({ kind }) => kind === 'poison');
    expect(new Set(letters.map(({ code }) => code))).toEqual(new Set(['unreadable']));
    expect(letters.map(({ message: { position } }) => position).toSorted((one, other) => one - other)).toEqual(
      records.map(({ position }) => position),
    );
    for (const { why: reason } of letters) expect(reason.length).toBeGreaterThan(10);
  });

  test('works as one with another that comes and goes, and through a rebalance of its group', async () => {
    const second = new ExecutorOnServers(database, owner, { beside: rig, member: 'second' });
    await publish(named('alone', 10));
    await second.open();
    await publish(named('joining', 10));
    await reads(second);
    await publish(named('both', 20));
    await second.close();
    await publish(named('left', 10));
    const isRebalanced = (): boolean =>
      rig.errors.some(({ message }) => /rebalanced|joined anew|stopped by/.test(message));
    const intruder = await intrude();
    try {
      await publish(named('rebalance', 10));
      await vi.waitFor(() => expect(isRebalanced()).toBe(true), WAIT);
    } finally {
      await intruder.disconnect();
    }
    await publish(named('after', 10));
    await until(70);
    const kinds = (await rig.records()).map(({ kind }) => kind);
    expect(kinds).toEqual(Array.from({ length: 70 }, () => 'flip'));
    await expectStopped([
      ...['alone', 'joining', 'left', 'rebalance', 'after'].flatMap((name) => named(name, 10)),
      ...named('both', 20),
    ]);
    await reads(rig);
  });

  test('comes back after its broker was killed: what was acknowledged before is stopped, and what comes then (prints how long)', async () => {
    await publish(named('before', 10));
    await broker.kafka.kill();
    await expect(rig.publish(rig.alert({ target: 'meanwhile' }))).rejects.toMatchObject({ code: 'KAFKA_FAILED' });
    await broker.kafka.start();
    const backMs = performance.now();
    await vi.waitFor(() => publish(['after']), WAIT);
    await vi.waitFor(() => expect(rig.targets()).toContain('after'), WAIT);
    process.stdout.write(`broker back to the next stop enforced: ${Math.round(performance.now() - backMs)} ms (n=1)\n`);
    await vi.waitFor(async () => expect((await rig.records()).length).toBeGreaterThanOrEqual(11), WAIT);
    const { messages } = await read();
    await until(messages.length);
    // what was refused may be there all the same, and is a stop then
    const stopped = (await rig.durable()).filter((target) => target !== 'meanwhile');
    expect(new Set(stopped)).toEqual(new Set([...named('before', 10), 'after']));
    await reads(rig);
  });

  test('is at a new topic of any name, such as phronis.alerts', async () => {
    const alerts = `phronis.alerts.${randomUUID()}`;
    await withAdmin(plain, (admin) =>
      admin.createTopics({ topics: [{ topic: alerts, numPartitions: 2 }, { topic: `${alerts}.dead` }] }),
    );
    const bus = onKafka(address, { ...topics, alerts, deadLetters: `${alerts}.dead` });
    const elsewhere = new ExecutorOnServers(database, owner, { bus });
    await elsewhere.open();
    await vi.waitFor(() => elsewhere.publish(elsewhere.alert({ target: 'acme' })), WAIT);
    await vi.waitFor(() => expect(elsewhere.targets()).toContain('acme'), WAIT);
    await elsewhere.close();
  });

  async function read() {
    const reader = await openBusOf(
      rig.bus,
      { connectionString: database.flipperUrl, namespace: rig.namespace },
      'reader',
    );
    return readTopic(reader, WAIT.timeout);
  }

  const groups = (): Promise<readonly string[]> =>
    withAdmin(plain, async (admin) => {
      const found = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
      return found.filter((id) => id.startsWith(`${topics.group}.executor.`));
    });

  /** What the executor's own group has committed, by partition. */
  async function committed(): Promise<ReadonlyMap<number, number>> {
    const [groupId = ''] = await groups();
    const found = await withAdmin(plain, (admin) => admin.fetchOffsets({ groupId, topics: [topics.alerts] }));
    return new Map((found[0]?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
  }

  /** Somebody else in the executor's group: Kafka moves partitions to them. */
  async function intrude() {
    const [groupId = ''] = await vi.waitFor(async () => {
      const found = await groups();
      expect(found).toHaveLength(1);
      return found;
    }, WAIT);
    const consumer = plain.consumer({ groupId, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic: topics.alerts });
    await consumer.run({ eachMessage: async () => undefined });
    return consumer;
  }
});
