import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { openFence } from '../../../../src/store/postgres/fence.ts';
import { openFlipSource } from '../../../../src/store/postgres/flip-source.ts';
import { flipChannel } from '../../../../src/store/postgres/flip-channel.ts';
import type { FlipRecord } from '../../../../src/store/store.ts';
import type { StoreHandles } from '../contract/world.ts';
import { releaseText, sampleIntent, stopText } from '../samples.ts';
import { namespaceEach } from './namespace-each.ts';
import { PATIENT } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { untilWaiting } from './statements.ts';

const WAIT = { timeout: 10_000, interval: 5 };
let database: PreparedDatabase;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;

namespaceEach((ground) => ({ database, owner, namespace, store } = ground));

/** Ends the server's side of the connections with this name, and says how many there were. */
async function terminate(name: string): Promise<number> {
  const { rows } = await owner.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and application_name = $1`,
    [`killdrill ${name}`],
  );
  return rows.length;
}

describe('a listener', () => {
  test('is told once when its session ends, and the next calls connect anew', async () => {
    const lost = vi.fn();
    const heard: (FlipRecord | null)[] = [];
    await store.flips.listen((record) => heard.push(record), lost);
    expect(await terminate('flips')).toBe(1);
    await vi.waitFor(() => expect(lost).toHaveBeenCalled(), WAIT);
    await store.flips.load();
    await store.flips.listen((record) => heard.push(record), lost);
    const { record } = await store.control.flip(stopText(namespace), null);
    await vi.waitFor(() => expect(heard).toEqual([record]), WAIT);
    expect(lost).toHaveBeenCalledOnce();
    expect(lost.mock.calls[0]?.[0]).toMatchObject({ code: 'STORE_UNREACHABLE' });
  });

  test('is told when a call on its session is not answered in time', async () => {
    const blocker = await database.connect(database.ownerUrl);
    await blocker.query('begin');
    await blocker.query('select pg_advisory_xact_lock(killdrill.fence_key($1))', [namespace]);
    const lost = vi.fn();
    const timings = { ...PATIENT, statementMs: 0, answerMs: 300, lockMs: 10_000 };
    const source = openFlipSource({ connectionString: database.workerUrl, namespace, timings });
    await source.listen(() => undefined, lost);
    await expect(source.relay(stopText(namespace), null)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(lost).toHaveBeenCalledOnce();
    await blocker.query('commit');
    await source.load();
    expect(lost).toHaveBeenCalledOnce();
    await source.close();
  });

  test('is not told when its owner closes', async () => {
    const lost = vi.fn();
    await store.flips.listen(() => undefined, lost);
    await store.close();
    await expect(store.flips.load()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(lost).not.toHaveBeenCalled();
  });

  test('is told to fetch when a flip does not fit, or when somebody notifies junk', async () => {
    const heard: (FlipRecord | null)[] = [];
    await store.flips.listen(
      (record) => heard.push(record),
      () => undefined,
    );
    const ids = Array.from({ length: 40 }, () => `${randomUUID()}${'x'.repeat(200)}`);
    for (const id of ids) await store.control.flip(stopText(namespace, { id }), null);
    await vi.waitFor(() => expect(heard).toHaveLength(ids.length), WAIT);
    await store.control.flip(releaseText(namespace, ids), null);
    for (const junk of ['junk', '{}', '[1]', '{"revision":"1"}', 'null'])
      await owner.query('select pg_notify($1, $2)', [flipChannel(namespace), junk]);
    await vi.waitFor(() => expect(heard).toHaveLength(ids.length + 6), WAIT);
    expect(heard.slice(ids.length)).toEqual([null, null, null, null, null, null]);
    expect(heard.slice(0, ids.length)).not.toContain(null);
  });

  test('that throws is lost, and the others hear on', async () => {
    const [lost, heard] = [vi.fn(), vi.fn()];
    await store.flips.listen(() => {
      throw new Error('broken');
    }, lost);
    await store.flips.listen(heard, () => undefined);
    await store.control.flip(stopText(namespace), null);
    await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce(), WAIT);
    expect(lost).toHaveBeenCalledOnce();
  });
});

describe('a call', () => {
  test('that is not answered in time is given up, and its batch is not sent again', async () => {
    const { head } = await store.flips.load();
    const blocker = await database.connect(database.ownerUrl);
    await blocker.query('begin');
    await blocker.query('select pg_advisory_xact_lock(killdrill.fence_key($1))', [namespace]);
    const fence = openFence({
      connectionString: database.workerUrl,
      namespace,
      timings: { ...PATIENT, statementMs: 0, answerMs: 300 },
    });
    await expect(fence.admitIntents(namespace, head, [sampleIntent(1)])).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
    });
    await blocker.query('commit');
    // Whether the given-up batch came in late is the store's business; it is in at most once, and the next one is itself.
    expect(await fence.admitIntents(namespace, head, [sampleIntent(2)])).toMatchObject({ kind: 'admitted' });
    const { rows } = await owner.query('select seq::int from killdrill.intent where incarnation = $1 and seq = 2', [
      namespace,
    ]);
    expect(rows).toHaveLength(1);
    await fence.close();
  });

  test('whose session is terminated is rejected, and the next one is answered', async () => {
    const { head } = await store.flips.load();
    await store.fence.admitIntents(namespace, head, [sampleIntent(1)]);
    const blocker = await database.connect(database.ownerUrl);
    await blocker.query('begin');
    await blocker.query('select pg_advisory_xact_lock(killdrill.fence_key($1))', [namespace]);
    const batch = expect(store.fence.admitIntents(namespace, head, [sampleIntent(2)])).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
    });
    await untilWaiting(owner, 1);
    expect(await terminate('fence')).toBe(1);
    await batch;
    await blocker.query('commit');
    expect(await store.fence.admitIntents(namespace, head, [sampleIntent(2)])).toMatchObject({ kind: 'admitted' });
  });

  test('that the store refuses keeps the connection', async () => {
    await store.flips.load();
    const pids = () =>
      owner.query(
        `select pid from pg_stat_activity where datname = current_database() and application_name = 'killdrill flips'`,
      );
    const before = (await pids()).rows;
    await store.control.flip(stopText(namespace, { id: 'a' }), null);
    await expect(store.flips.relay(releaseText(namespace, ['a']), null)).rejects.toMatchObject({
      code: 'RELAY_REFUSED',
    });
    await store.flips.load();
    expect((await pids()).rows).toEqual(before);
  });

  test('to nobody, as nobody or about nothing says so', async () => {
    const ask = async (connectionString: string, of = namespace) => {
      const source = openFlipSource({ connectionString, namespace: of, timings: { ...PATIENT, backOffMs: 1 } });
      try {
        await source.load();
      } finally {
        await source.close();
      }
    };
    await expect(ask('postgresql://nobody@127.0.0.1:1/none')).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await expect(ask(database.workerUrl.replace(/:[^:@/]+@/, ':wrong@'))).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('password'),
    });
    await expect(ask(database.workerUrl, 'never-made')).rejects.toMatchObject({
      code: 'NAMESPACE_UNKNOWN',
      message: expect.stringContaining("'never-made'"),
    });
    await expect(ask(database.workerUrl.replace(/test_[0-9a-f]+\?/, 'postgres?'))).rejects.toMatchObject({
      code: 'SCHEMA_VERSION',
    });
  });

  test('that finds nobody waits no longer than the back-off before it tries again', async () => {
    const delays: number[] = [];
    let nowMs = 0;
    const clock = {
      monotonicMs: () => nowMs,
      wallMs: () => nowMs,
      after: (delayMs: number, callback: () => void) => {
        delays.push(delayMs);
        nowMs += delayMs;
        queueMicrotask(callback);
        return () => undefined;
      },
    };
    const source = openFlipSource({ connectionString: 'postgresql://nobody@127.0.0.1:1/none', namespace, clock });
    for (let call = 0; call < 7; call += 1)
      await expect(source.load()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(delays).toEqual([10, 20, 40, 80, 100, 100]);
    await source.close();
  });
});
