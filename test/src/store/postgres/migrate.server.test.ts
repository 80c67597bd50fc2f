import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../../../src/store/postgres/migrate.ts';
import { readMigrations } from '../../../../src/store/postgres/migration-files.ts';
import { SCHEMA_VERSION, assertSchemaVersion } from '../../../../src/store/postgres/schema-version.ts';
import { createTestDatabase } from '../../../support/database.ts';
import type { TestDatabase } from '../../../support/database.ts';

let databases: TestDatabase[] = [];
let clients: pg.Client[] = [];

beforeEach(() => {
  [databases, clients] = [[], []];
  return async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    await Promise.all(databases.map((database) => database.drop()));
  };
});

async function freshDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  databases.push(database);
  return database;
}

async function connect(database: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: database.superuserUrl,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

const heads = async (client: pg.Client) =>
  (await client.query('select namespace, epoch from killdrill.head order by namespace')).rows;

describe('migrate', () => {
  test('prepares a database, and finds nothing to do the second time', async () => {
    const client = await connect(await freshDatabase());
    expect(await migrate(client, { namespace: 'ns', newEpoch: () => 'epoch-1' })).toEqual({
      version: SCHEMA_VERSION,
      applied: readMigrations().map(({ name }) => name),
    });
    expect(await migrate(client, { namespace: 'ns', newEpoch: () => 'epoch-2' })).toEqual({
      version: SCHEMA_VERSION,
      applied: [],
    });
    await migrate(client, { namespace: 'other', newEpoch: () => 'epoch-3' });
    expect(await heads(client)).toEqual([
      { namespace: 'ns', epoch: 'epoch-1' },
      { namespace: 'other', epoch: 'epoch-3' },
    ]);
    await assertSchemaVersion(client);
  });

  test('knows the same version as its files', () => {
    expect(readMigrations().at(-1)?.number).toBe(SCHEMA_VERSION);
  });

  test('of the same database by several at once is done once', async () => {
    const database = await freshDatabase();
    const several = await Promise.all(Array.from({ length: 4 }, () => connect(database)));
    const done = await Promise.all(several.map((client) => migrate(client, { namespace: 'ns' })));
    expect(done.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  });

  test("of several databases at once shares the server's roles", async () => {
    const several = await Promise.all(Array.from({ length: 4 }, async () => connect(await freshDatabase())));
    const done = await Promise.all(several.map((client) => migrate(client, { namespace: 'ns' })));
    expect(done.map(({ applied }) => applied.length)).toEqual(several.map(() => SCHEMA_VERSION));
  });

  test('refuses a database of a newer version, and so do the workers', async () => {
    const client = await connect(await freshDatabase());
    await migrate(client, { namespace: 'ns' });
    await client.query(`insert into killdrill.migration (number, name) values ($1, 'tomorrow')`, [SCHEMA_VERSION + 1]);
    const refused = {
      code: 'SCHEMA_VERSION',
      message: expect.stringMatching(new RegExp(`has version ${SCHEMA_VERSION + 1}.* version ${SCHEMA_VERSION};`)),
    };
    await expect(migrate(client, { namespace: 'ns' })).rejects.toMatchObject(refused);
    await expect(assertSchemaVersion(client)).rejects.toMatchObject(refused);
  });

  test('is what a worker asks for on an older database, and on one that was never prepared', async () => {
    const client = await connect(await freshDatabase());
    await expect(assertSchemaVersion(client)).rejects.toMatchObject({
      code: 'SCHEMA_VERSION',
      message: expect.stringMatching(/is not prepared.*`killdrill migrate`/),
    });
    await migrate(client, { namespace: 'ns' });
    await client.query('delete from killdrill.migration where number = $1', [SCHEMA_VERSION]);
    await expect(assertSchemaVersion(client)).rejects.toMatchObject({
      code: 'SCHEMA_VERSION',
      message: expect.stringMatching(/`killdrill migrate`/),
    });
  });

  test('changes nothing when it fails half-way', async () => {
    const client = await connect(await freshDatabase());
    await client.query('create schema killdrill');
    await client.query('create table killdrill.intent ()');
    await expect(migrate(client, { namespace: 'ns' })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('intent'),
    });
    expect((await client.query(`select from pg_tables where schemaname = 'killdrill'`)).rows).toHaveLength(1);
    await client.query('drop table killdrill.intent');
    expect((await migrate(client, { namespace: 'ns' })).applied).toHaveLength(SCHEMA_VERSION);
  });

  test('keeps to the schema that it is given', async () => {
    const client = await connect(await freshDatabase());
    await migrate(client, { namespace: 'ns', schema: 'Odd "name"' });
    await assertSchemaVersion(client, { schema: 'Odd "name"' });
    await expect(assertSchemaVersion(client)).rejects.toMatchObject({ code: 'SCHEMA_VERSION' });
  });
});
