import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openKafkaAdmin } from '../../../src/alerts/kafka-topics.ts';
import { chooseDrillFolder, makeDrillFolder } from '../../../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../../../harness/environment/embedded-postgres.ts';
import { startExternal } from '../../../harness/environment/external.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';
import type { Guardian } from '../../../harness/environment/guardian.ts';
import { startProxy } from '../../../harness/environment/proxy.ts';
import type { Proxy } from '../../../harness/environment/proxy.ts';
import { recover } from '../../../harness/environment/recover.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import type { TestBroker } from '../../support/kafka-broker.ts';
import { startOtherHarness } from '../../support/killed-harness.ts';
import { kafkaOf, testEveryEnvironment, withEnvironmentOf } from '../../support/environment-contract.ts';

const { kafka: why } = inject('infrastructure');

/** Servers as a user runs them: PostgreSQL on a port, with a superuser and somebody who is none, and a broker. */
describe.skipIf(why !== null)(`the environment external${why === null ? '' : ` (${why})`}`, () => {
  let guardian: Guardian;
  let broker: TestBroker;
  /** Gives the server a port, which an embedded one has not. */
  let front: Proxy;
  let url: URL;
  const variables = () => ({
    KILLDRILL_DRILL_DATABASE_URL: url.href,
    KILLDRILL_DRILL_KAFKA_BROKERS: broker.kafka.door('user').brokers,
  });

  beforeAll(async () => {
    const folder = chooseDrillFolder();
    guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    const server = await startEmbeddedPostgres({ folder, superuserPassword: 'secret' });
    front = await startProxy({ target: server.target });
    url = new URL(`postgres://postgres:secret@127.0.0.1:${front.port}`);
    broker = await startTestBroker();
  });
  afterAll(async () => {
    await broker?.close();
    await front?.close();
    await guardian?.done();
  });
  const rows = async (sql: string, as = url): Promise<readonly string[]> => {
    const client = new pg.Client({ connectionString: `${as.href}/postgres` });
    await client.connect();
    try {
      return (await client.query<Record<string, string>>(sql)).rows.map((row) => Object.values(row)[0] ?? '');
    } finally {
      await client.end();
    }
  };
  const databases = () => rows(`select datname from pg_database where datname like 'kd\\_%' order by 1`);
  const roles = () => rows(`select rolname from pg_roles where rolname ~ '^(kd_|killdrill)' order by 1`);

  describe('while it is up', () => {
    const ground = withEnvironmentOf(async (parts) => {
      Object.assign(process.env, variables());
      return startExternal(parts);
    });
    testEveryEnvironment(ground);

    test('says what it is made of, without a password', () => {
      const { facts } = ground().environment;
      expect(facts['postgres']).toMatch(/^PostgreSQL \d+\.\d+.* at 127\.0\.0\.1:\d+$/);
      expect(facts['alert bus']).toMatch(/^Kafka at 127\.0\.0\.1:\d+, 1 brokers$/);
      expect(JSON.stringify(facts)).not.toContain('secret');
    });

    test('has a database and topics with names of its run', async () => {
      const { database, topics } = ground();
      expect(database.name).toMatch(/^kd_[0-9a-f]{12}_drill_1$/);
      expect(topics.alerts).toBe(`${database.name}.alerts`);
      expect(await databases()).toEqual([database.name]);
    });

    test('stops and kills no server of the user', async () => {
      const { postgres, kafka } = ground().environment;
      for (const server of [postgres, kafka]) {
        for (const harm of ['kill', 'pause', 'resume', 'stop', 'start'] as const)
          await expect(server?.[harm]()).rejects.toMatchObject({ code: 'SERVER_NOT_OURS' });
      }
      expect(kafkaOf(ground().environment).door('worker-1').proxy).toBeNull();
    });

    test('is not touched by a recovery while its harness is at work', async () => {
      expect((await recover(variables(), [])).removed).toEqual([]);
      expect(await databases()).toHaveLength(1);
    });

    test('leaves a recovery to remove what a killed harness left, and only that', async () => {
      const harness = await startOtherHarness('external', variables());
      expect(await databases()).toHaveLength(2);
      await harness.kill();
      const { removed, problems } = await recover(variables(), []);
      expect(removed).toEqual([expect.stringMatching(/^database kd_[0-9a-f]{12}_drill_1 at 127\.0\.0\.1:\d+$/)]);
      expect(problems).toEqual([]);
      expect(await databases()).toEqual([ground().database.name]);
    });

    test('leaves nothing on the servers: no database, role, topic or group', async () => {
      const { database, topics } = ground();
      await topics.drop();
      await database.drop();
      expect(await databases()).toEqual([]);
      expect(await roles()).toEqual([]);
      const admin = openKafkaAdmin({ brokers: [broker.kafka.door('user').brokers] });
      expect((await admin.topics()).filter((topic) => topic.startsWith('kd_'))).toEqual([]);
      admin.close();
    });
  });

  test('refuses a user who is no superuser, and says what is needed', async () => {
    await rows(`create role somebody login createdb createrole password 'secret'`);
    const somebody = new URL(url);
    somebody.username = 'somebody';
    process.env['KILLDRILL_DRILL_DATABASE_URL'] = somebody.href;
    const refused = expect(startExternal({ folder: chooseDrillFolder() })).rejects;
    await refused.toMatchObject({ code: 'EXTERNAL_RIGHTS', message: expect.stringContaining('somebody') });
  });
});
