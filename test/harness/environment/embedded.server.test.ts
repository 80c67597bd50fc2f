import { readdirSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseDrillFolder, makeDrillFolder } from '../../../harness/environment/drill-folder.ts';
import { startEmbedded } from '../../../harness/environment/embedded.ts';
import type { Credentials, DrillDatabase, Environment } from '../../../harness/environment/environment.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';
import type { Guardian } from '../../../harness/environment/guardian.ts';
import { startProxy } from '../../../harness/environment/proxy.ts';
import type { Proxy } from '../../../harness/environment/proxy.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';

let folder: string;
let guardian: Guardian;
let environment: Environment;
let database: DrillDatabase;
let proxy: Proxy;

beforeAll(async () => {
  folder = chooseDrillFolder();
  guardian = await startGuardian({ folder });
  makeDrillFolder(folder);
  environment = await startEmbedded({ folder, guardian });
  database = await environment.createDatabase('drill_1');
  proxy = await startProxy({ target: environment.postgres.target });
});

afterAll(async () => {
  await proxy.close();
  await guardian.done();
});

function clientOf({ user, password }: Credentials, name = database.name): pg.Client {
  const bounds = { connectionTimeoutMillis: 5_000, query_timeout: 5_000 };
  const client = new pg.Client({ host: '127.0.0.1', port: proxy.port, user, password, database: name, ...bounds });
  client.on('error', () => undefined);
  return client;
}

async function ask(credentials: Credentials, sql: string, name?: string): Promise<readonly unknown[]> {
  const client = clientOf(credentials, name);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

describe('the embedded environment', () => {
  test('says what it is made of', () => {
    expect(environment.name).toBe('embedded');
    expect(environment.facts['postgres']).toMatch(/^PostgreSQL \d+\.\d+, embedded/);
    expect(environment.facts['alert bus']).toBe('PostgreSQL (the alert path is not Kafka)');
    expect(environment.kafka).toBeNull();
  });

  test('gives each right a login of its own, through a proxy', async () => {
    const { owner, flipper, worker } = database;
    for (const credentials of [owner, flipper, worker])
      expect(await ask(credentials, 'select current_user::text')).toEqual([credentials.user]);
    const member = (role: string) => `select pg_has_role(current_user, '${role}', 'usage')`;
    expect(await ask(flipper, member('killdrill_flipper'))).toEqual([true]);
    expect(await ask(flipper, member('pg_signal_backend'))).toEqual([true]);
    expect(await ask(worker, member('killdrill_worker'))).toEqual([true]);
    expect(await ask(worker, member('killdrill_flipper'))).toEqual([false]);
    expect(await ask(worker, member('pg_signal_backend'))).toEqual([false]);
    expect(new Set([owner.password, flipper.password, worker.password]).size).toBe(3);
  });

  test('keeps the drills on one server apart, and serves them one after another', async () => {
    const other = await environment.createDatabase('drill_2');
    await expect(ask(other.worker, 'select 1', database.name)).rejects.toMatchObject({ code: '42501' });
    await expect(ask(database.worker, 'select 1', other.name)).rejects.toMatchObject({ code: '42501' });
    expect(await ask(other.flipper, 'select 1', other.name)).toEqual([1]);
    await other.drop();
    await other.drop();
    // its logins are gone with it
    await expect(ask(other.owner, 'select 1', other.name)).rejects.toMatchObject({ code: '28P01' });
    expect(await ask((await environment.createDatabase('drill_3')).worker, 'select 1', 'drill_3')).toEqual([1]);
  });

  test.each(['', 'Drill', '1st', 'a-b', 'a"b', "a'; drop database postgres; --", 'x'.repeat(42)])(
    'refuses %j as the name of a database',
    async (name) => {
      await expect(environment.createDatabase(name)).rejects.toMatchObject({ code: 'DATABASE_NAME' });
    },
  );

  test('a proxy keeps its port while the server is killed and started, and passes again', async () => {
    const session = clientOf(database.worker);
    await session.connect();
    let lost = false;
    session.on('end', () => (lost = true));
    const { port } = proxy;
    await environment.postgres.kill();
    expect(await waitUntil(() => lost, { boundMs: 5_000 })).toBe(true);
    await expect(ask(database.worker, 'select 1')).rejects.toThrow();
    await environment.postgres.start();
    expect(await ask(database.worker, 'select 1')).toEqual([1]);
    expect(proxy.port).toBe(port);
    expect(await waitUntil(() => proxy.connections === 0, { boundMs: 5_000 })).toBe(true);
  });

  test('a cut takes one client away from a server that stays up', async () => {
    const session = clientOf(database.worker);
    await session.connect();
    const neighbour = await startProxy({ target: environment.postgres.target });
    let lost = false;
    session.on('end', () => (lost = true));
    const cut = proxy.apply({ kind: 'cut' });
    expect(await waitUntil(() => lost, { boundMs: 5_000 })).toBe(true);
    await expect(ask(database.worker, 'select 1')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(cut.receipt).toEqual({ connections: 1, refused: 1, bytes: 0 });
    const client = new pg.Client({
      host: '127.0.0.1',
      port: neighbour.port,
      ...database.worker,
      database: database.name,
    });
    await client.connect();
    await client.end();
    await neighbour.close();
    cut.undo();
    expect(await ask(database.worker, 'select 1')).toEqual([1]);
  });

  test('leaves an empty folder when it is closed, twice if asked', async () => {
    await environment.close();
    await environment.close();
    expect(readdirSync(folder)).toEqual([]);
    expect(await guardian.done()).toEqual({ forced: [], left: [], folderRemoved: true });
  });
});
