import { readFileSync, readdirSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseDrillFolder, makeDrillFolder } from '../../../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../../../harness/environment/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../../../harness/environment/embedded-postgres.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';
import type { Guardian } from '../../../harness/environment/guardian.ts';
import { listProcesses, workingDirectory } from '../../../harness/environment/process-table.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';
import { createTestDatabase } from '../../support/database.ts';

let folder: string;
let guardian: Guardian;
let server: EmbeddedPostgres;

beforeAll(async () => {
  folder = chooseDrillFolder();
  guardian = await startGuardian({ folder });
  makeDrillFolder(folder);
  server = await startEmbeddedPostgres({ folder, superuserPassword: "pass'word", settings: { max_connections: 50 } });
});

afterAll(async () => {
  await guardian.done();
});

function client(password = server.superuser.password): pg.Client {
  const bounds = { connectionTimeoutMillis: 5_000, query_timeout: 5_000 };
  const made = new pg.Client({
    host: server.socketFolder,
    user: server.superuser.user,
    password,
    database: 'postgres',
    ...bounds,
  });
  made.on('error', () => undefined);
  return made;
}

async function ask(sql: string): Promise<readonly unknown[]> {
  const connection = client();
  await connection.connect();
  try {
    const { rows } = await connection.query<Record<string, unknown>>(sql);
    return rows.map((row) => Object.values(row)[0]);
  } finally {
    await connection.end();
  }
}

const processes = () =>
  listProcesses().filter(({ pid, zombie }) => !zombie && workingDirectory(pid) === `${folder}/data`);

describe('an embedded PostgreSQL', () => {
  test('answers on its socket only, to who has the password only, with the settings it was given', async () => {
    expect(await ask('show server_version')).toEqual([server.version]);
    expect(await ask('show listen_addresses')).toEqual(['']);
    expect(await ask('show fsync')).toEqual(['on']);
    expect(await ask('show max_connections')).toEqual(['50']);
    expect(await ask('show dynamic_shared_memory_type')).toEqual(['mmap']);
    expect(server.target).toEqual({ path: `${server.socketFolder}/.s.PGSQL.5432` });
    await expect(client('wrong').connect()).rejects.toMatchObject({ code: '28P01' });
    expect(readdirSync(folder)).not.toContain('pw');
  });

  test('is not in the group of its harness, and says its drill in its environment or by where it works', () => {
    const all = processes();
    expect(all.length).toBeGreaterThan(3);
    const own = readFileSync(`/proc/${process.pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2];
    for (const { pid } of all)
      expect(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2]).not.toBe(own);
  });

  test('keeps what was committed through kill and start, five times over, with sessions open', async () => {
    await ask('create table kept (n int)');
    for (let n = 1; n <= 5; n += 1) {
      const sessions = Array.from({ length: 8 }, () => client());
      await Promise.all(sessions.map((session) => session.connect()));
      await ask(`insert into kept values (${n})`);
      await server.kill();
      expect(processes()).toEqual([]);
      await expect(ask('select 1')).rejects.toThrow();
      await server.start();
      expect(await ask('select count(*)::int from kept')).toEqual([n]);
    }
  });

  test('answers nothing while it is paused, not even on a session that was open, and goes on afterwards', async () => {
    const session = client();
    await session.connect();
    await server.pause();
    expect(processes().every(({ stopped }) => stopped)).toBe(true);
    const answer = session.query<{ n: number }>('select 1 as n');
    const first = await Promise.race([answer.then(() => 'answered'), waitUntil(() => false, { boundMs: 300 })]);
    expect(first).toBe(false);
    await server.resume();
    expect((await answer).rows).toEqual([{ n: 1 }]);
    await session.end();
  });

  test('can be killed and stopped while it is paused, and each twice', async () => {
    await server.pause();
    await server.kill();
    await server.kill();
    await expect(server.pause()).rejects.toMatchObject({ code: 'POSTGRES_DOWN' });
    await server.start();
    await server.start();
    await server.pause();
    await server.pause();
    await server.stop();
    await server.stop();
    expect(processes()).toEqual([]);
    await server.start();
    expect(await ask('select 1')).toEqual([1]);
  });

  test('starts again after it has died by itself', async () => {
    const [postmaster] = readFileSync(`${folder}/data/postmaster.pid`, 'utf8').split('\n');
    process.kill(Number(postmaster), 'SIGKILL');
    await waitUntil(() => listProcesses().every(({ pid }) => pid !== Number(postmaster)), { boundMs: 5_000 });
    await server.start();
    expect(await ask('select 1')).toEqual([1]);
  });

  test('obeys calls that overlap in the order in which they were made', async () => {
    await Promise.all([server.kill(), server.start(), server.pause(), server.resume(), server.stop(), server.start()]);
    expect(await ask('select 1')).toEqual([1]);
  });
});

test('a server that cannot start says why, in the words of its log', async () => {
  const path = chooseDrillFolder();
  const watcher = await startGuardian({ folder: path });
  makeDrillFolder(path);
  const failed = startEmbeddedPostgres({
    folder: path,
    superuserPassword: 'x',
    settings: { shared_buffers: 'plenty' },
  });
  await expect(failed).rejects.toMatchObject({
    code: 'POSTGRES_START_FAILED',
    message: expect.stringContaining('invalid value for parameter "shared_buffers": "plenty"') as unknown,
  });
  expect((await watcher.done()).left).toEqual([]);
});

test('a folder whose socket path would be too long is refused before anything is made', async () => {
  const long = `/tmp/${'x'.repeat(100)}`;
  await expect(startEmbeddedPostgres({ folder: long, superuserPassword: 'x' })).rejects.toMatchObject({
    code: 'SOCKET_PATH_TOO_LONG',
  });
});

test('a test gets a database of its own on the server of the run', async () => {
  const database = await createTestDatabase();
  const connection = new pg.Client({ connectionString: database.superuserUrl });
  await connection.connect();
  const { rows } = await connection.query<{ name: string }>('select current_database() as name');
  await connection.end();
  await database.drop();
  expect(rows).toEqual([{ name: database.name }]);
});
