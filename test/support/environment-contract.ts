import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KafkaBus } from '../../src/alerts/kafka-bus.ts';
import { chooseDrillFolder, makeDrillFolder } from '../../harness/environment/drill-folder.ts';
import type { Credentials, DrillDatabase, DrillTopics, Environment } from '../../harness/environment/environment.ts';
import { startGuardian } from '../../harness/environment/guardian.ts';
import type { Guardian } from '../../harness/environment/guardian.ts';
import { startProxy } from '../../harness/environment/proxy.ts';
import type { Proxy } from '../../harness/environment/proxy.ts';

/** An environment while its tests run. */
export interface EnvironmentGround {
  readonly folder: string;
  readonly guardian: Guardian;
  readonly environment: Environment;
  readonly database: DrillDatabase;
  readonly topics: DrillTopics;
  /** A worker's proxy in front of PostgreSQL. */
  readonly proxy: Proxy;
}

/** Brings an environment with Kafka up for the tests of a `describe`; the getter is for within them. */
export function withEnvironmentOf(
  start: (parts: { readonly folder: string; readonly guardian: Guardian }) => Promise<Environment>,
): () => EnvironmentGround {
  let ground: EnvironmentGround | null = null;
  let guardian: Guardian | null = null;
  let environment: Environment | null = null;
  beforeAll(async () => {
    const folder = chooseDrillFolder();
    guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    environment = await start({ folder, guardian });
    const database = await environment.createDatabase('drill_1');
    const topics = await kafkaOf(environment).createTopics('drill_1');
    const proxy = await startProxy({ target: environment.postgres.target });
    ground = { folder, guardian, environment, database, topics, proxy };
  });
  afterAll(async () => {
    await ground?.proxy.close();
    await environment?.close();
    await guardian?.done();
  });
  return () => {
    if (ground === null) throw new Error('the environment is up within tests only');
    return ground;
  };
}

export function kafkaOf({ kafka, name }: Environment) {
  if (kafka !== null) return kafka;
  throw new Error(`${name} has no Kafka`);
}

/** Asks one question of the drill's database, through the proxy. */
export async function ask({ proxy, database }: EnvironmentGround, { user, password }: Credentials, sql: string) {
  const bounds = { connectionTimeoutMillis: 5_000, query_timeout: 5_000 };
  const client = new pg.Client({
    host: '127.0.0.1',
    port: proxy.port,
    user,
    password,
    database: database.name,
    ...bounds,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end().catch(() => undefined);
  }
}

export function busAt({ environment, topics }: EnvironmentGround, client: string): KafkaBus {
  const { alerts: topic, deadLetters: deadTopic, group } = topics;
  const { brokers } = kafkaOf(environment).door(client);
  return new KafkaBus({ brokers: brokers.split(','), topic, deadTopic, group, newId: randomUUID });
}

/** What every environment with Kafka does, whoever its servers are. */
export function testEveryEnvironment(ground: () => EnvironmentGround): void {
  test('gives each right a login of its own, through a proxy', async () => {
    const { owner, flipper, worker } = ground().database;
    for (const credentials of [owner, flipper, worker])
      expect(await ask(ground(), credentials, 'select current_user::text')).toEqual([credentials.user]);
    const member = `select pg_has_role(current_user, 'killdrill_flipper', 'usage')`;
    expect(await ask(ground(), flipper, member)).toEqual([true]);
    expect(await ask(ground(), worker, member)).toEqual([false]);
  });

  test('has an alert bus with topics of the drill, which take alerts', async () => {
    const bus = busAt(ground(), 'worker-1');
    try {
      await bus.publish(Buffer.from('an alert'), null, 'tenant:acme');
      const ranges = await Promise.all([0, 1, 2, 3].map((partition) => bus.range(partition)));
      expect(ranges.map(({ end }) => end).toSorted((one, other) => one - other)).toEqual([0, 0, 0, 1]);
    } finally {
      await bus.close();
    }
  });
}

/** What an environment does that has servers of its own. */
export function testServersOfItsOwn(ground: () => EnvironmentGround): void {
  test('kills PostgreSQL and starts it again with its data, at the same address', async () => {
    const { environment, database, proxy } = ground();
    await ask(ground(), database.owner, 'create table kept as select 42 as answer');
    await environment.postgres.kill();
    await expect(ask(ground(), database.owner, 'select 1')).rejects.toThrow();
    await environment.postgres.start();
    expect(await ask(ground(), database.owner, 'select answer from kept')).toEqual([42]);
    expect(environment.postgres.target).toBe(ground().environment.postgres.target);
    expect(proxy.port).toBeGreaterThan(0);
  });

  test('pauses PostgreSQL, whose sessions then answer nobody, and resumes it', async () => {
    const { environment, database } = ground();
    await environment.postgres.pause();
    await expect(ask(ground(), database.owner, 'select 1')).rejects.toThrow();
    await environment.postgres.resume();
    expect(await ask(ground(), database.owner, 'select 1')).toEqual([1]);
  });

  test('kills the broker and starts it again with its alerts, at the same address', async () => {
    const kafka = kafkaOf(ground().environment);
    const before = kafka.door('worker-2').brokers;
    const bus = busAt(ground(), 'worker-2');
    try {
      await bus.publish(Buffer.from('kept'), null, 'key');
      const ends = async () => (await Promise.all([0, 1, 2, 3].map((at) => bus.range(at)))).map(({ end }) => end);
      const there = await ends();
      await kafka.kill();
      await expect(bus.publish(Buffer.from('nobody takes it'), null, 'key')).rejects.toMatchObject({
        code: 'KAFKA_FAILED',
      });
      await kafka.start();
      expect(await ends()).toEqual(there);
      expect(kafka.door('worker-2').brokers).toBe(before);
    } finally {
      await bus.close();
    }
  });

  test('pauses the broker, stops it and starts it again', async () => {
    const kafka = kafkaOf(ground().environment);
    const bus = busAt(ground(), 'worker-3');
    try {
      await kafka.pause();
      await expect(bus.range(0)).rejects.toMatchObject({ code: 'KAFKA_FAILED' });
      await kafka.resume();
      await bus.range(0);
      await kafka.stop();
      await expect(bus.range(0)).rejects.toMatchObject({ code: 'KAFKA_FAILED' });
      await kafka.start();
      await bus.range(0);
    } finally {
      await bus.close();
    }
  });

  test('gives each client a door of its own, so that one is cut off and the others are not', async () => {
    const kafka = kafkaOf(ground().environment);
    const { proxy } = kafka.door('worker-4');
    const [cut, other] = [busAt(ground(), 'worker-4'), busAt(ground(), 'worker-5')];
    try {
      await cut.range(0);
      const fault = proxy?.apply({ kind: 'cut' });
      await expect(cut.range(0)).rejects.toMatchObject({ code: 'KAFKA_FAILED' });
      expect(fault?.receipt).toMatchObject({ connections: expect.any(Number), refused: expect.any(Number) });
      await other.range(0);
      fault?.undo();
      await cut.range(0);
    } finally {
      await Promise.all([cut.close(), other.close()]);
    }
    expect(kafka.door('worker-4').brokers).not.toBe(kafka.door('worker-5').brokers);
  });

  test('has doors enough for a fleet, and says so when there is none left', () => {
    const kafka = kafkaOf(ground().environment);
    const knock = () => Array.from({ length: 40 }, (_, client) => kafka.door(`client ${client}`));
    expect(knock).toThrow(expect.objectContaining({ code: 'KAFKA_DOORS' }));
    expect(kafka.door('worker-1').brokers).toMatch(/^127\.0\.0\.1:\d+$/);
  });
}
