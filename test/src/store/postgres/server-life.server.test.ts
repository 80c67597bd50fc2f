import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseDrillFolder, makeDrillFolder } from '../../../../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../../../../harness/environment/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../../../../harness/environment/embedded-postgres.ts';
import { startGuardian } from '../../../../harness/environment/guardian.ts';
import type { Guardian } from '../../../../harness/environment/guardian.ts';
import { waitUntil } from '../../../../harness/environment/wait.ts';
import { KilldrillError } from '../../../../src/errors.ts';
import { openFence } from '../../../../src/store/postgres/fence.ts';
import { openFlipSource } from '../../../../src/store/postgres/flip-source.ts';
import { migrate } from '../../../../src/store/postgres/migrate.ts';
import type { LoadAnswer } from '../../../../src/store/store.ts';

const NAMESPACE = 'life';
const MINIMUM_AGE_MS = 2_000;

// A server of its own: these tests end it.
describe('the age of the store', () => {
  let guardian: Guardian;
  let server: EmbeddedPostgres;
  let url: string;

  beforeAll(async () => {
    const folder = chooseDrillFolder();
    guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    server = await startEmbeddedPostgres({ folder, superuserPassword: randomBytes(8).toString('hex') });
    const { user, password } = server.superuser;
    url = `postgres://${user}:${password}@${encodeURIComponent(server.socketFolder)}:5432/postgres`;
    await query((client) => migrate(client, { namespace: NAMESPACE }));
  });

  afterAll(async () => {
    await server.stop();
    await guardian.done();
  });

  test.each([
    ['a restart', async () => (await server.kill(), server.start())],
    ['the crash of one backend, which ends every session but not the server', crashOneBackend],
  ])('begins anew after %s, with the first answer, and admits nothing until it is old enough', async (_, end) => {
    const before = await firstLoad();
    await end();
    const after = await firstLoad();
    expect(after.ageMs).toBeLessThan(MINIMUM_AGE_MS);

    const fence = openFence({ connectionString: url, namespace: NAMESPACE, timings: { minimumAgeMs: MINIMUM_AGE_MS } });
    try {
      expect((await fence.enqueue(before.head, [])).kind).toBe('young');
      const grown = async (): Promise<boolean> => (await fence.enqueue(before.head, [])).kind === 'admitted';
      expect(await waitUntil(grown, { boundMs: 20_000, everyMs: 50 })).toBe(true);
    } finally {
      await fence.close();
    }
  });

  test('does not count the time that a server spends before it answers anybody', async () => {
    await server.kill();
    await server.start();
    await query((client) => client.query(`select pg_sleep(1)`));
    const { rows } = await query((client) =>
      client.query<{ up: number }>(
        `select extract(epoch from clock_timestamp() - pg_postmaster_start_time()) * 1000 as up`,
      ),
    );
    expect((await firstLoad()).ageMs).toBeLessThan(Number(rows[0]?.up) - 900);
  });

  async function query<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function crashOneBackend(): Promise<void> {
    await query(async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
      await expect(client.query('select pg_sleep(10)')).rejects.toThrow();
    });
  }

  /** What the first answer says that can be had; the server may be in recovery for a while. */
  async function firstLoad(): Promise<LoadAnswer> {
    const source = openFlipSource({ connectionString: url, namespace: NAMESPACE });
    let answer: LoadAnswer | null = null;
    try {
      await waitUntil(
        async () => {
          answer = await source.load().catch(onlyUnreachable);
          return answer !== null;
        },
        { boundMs: 20_000, everyMs: 20 },
      );
    } finally {
      await source.close();
    }
    if (answer === null) throw new Error('the server never answered');
    return answer;
  }
});

function onlyUnreachable(error: unknown): null {
  if (error instanceof KilldrillError && error.code === 'STORE_UNREACHABLE') return null;
  throw error;
}
