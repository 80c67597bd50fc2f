import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { openJournalSource } from '../../../../src/store/postgres/journal-source.ts';
import type { JournalSource, JournalPlace } from '../../../../src/store/journal-port.ts';
import type { StoreHandles } from '../contract/world.ts';
import { sampleIntent } from '../samples.ts';
import { namespaceEach } from './namespace-each.ts';
import { PATIENT } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

const LIMIT = 1_000;
let database: PreparedDatabase;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;
let journal: JournalSource;

namespaceEach((ground) => ({ database, owner, namespace, store } = ground));
beforeEach(() => {
  const opened = openJournalSource({ connectionString: database.flipperUrl, namespace, timings: PATIENT });
  journal = opened;
  return () => opened.close();
});

const incarnationOf = (worker: string): string => `${worker}-${namespace}`;

async function register(worker: string): Promise<void> {
  const identity = { incarnation: incarnationOf(worker), worker, pool: 'default', version: null };
  await store.reports.register({ ...identity, leaseMs: 1_200, longestDeadlineMs: 250 });
}

async function effects(worker: string, from: number, count: number): Promise<void> {
  const { head } = await store.flips.load();
  const intents = Array.from({ length: count }, (_, n) => sampleIntent(from + n, { run: `${worker}/${from + n}` }));
  expect((await store.fence.admitIntents(incarnationOf(worker), head, intents)).kind).toBe('admitted');
}

async function readOn(places: readonly JournalPlace[] | null, limit = LIMIT) {
  const page = await journal.page(places, limit);
  return { ...page, runs: page.rows.map(({ run }) => run) };
}

describe('the journal as it grows', () => {
  test('begins at its end, and goes on from there', async () => {
    await register('a');
    await effects('a', 1, 3);
    const first = await readOn(null);
    expect([first.runs, first.more]).toEqual([[], false]);
    expect(first.places).toEqual([{ incarnation: incarnationOf('a'), seq: 3 }]);
    await effects('a', 4, 2);
    const second = await readOn(first.places);
    expect(second.rows[0]).toEqual({
      ...{ run: 'a/4', tenant: 'acme', feature: null, agent: 'agent-1', capability: 'write/mail', access: 'write' },
      atMs: expect.any(Number),
    });
    expect(Math.abs(second.nowMs - (second.rows[0]?.atMs ?? 0))).toBeLessThan(60_000);
    expect([second.runs, (await readOn(second.places)).runs]).toEqual([['a/4', 'a/5'], []]);
  });

  test('has the rows of all workers in the order of their times, page by page, and each once', async () => {
    await register('a');
    await register('b');
    let { places } = await readOn(null);
    for (let n = 0; n < 10; n += 1) await effects(n % 2 === 0 ? 'a' : 'b', n, 1);
    const runs: string[] = [];
    for (let more = true; more;) {
      const page = await readOn(places, 4);
      runs.push(...page.runs);
      ({ places, more } = page);
    }
    expect(runs).toEqual(Array.from({ length: 10 }, (_, n) => `${n % 2 === 0 ? 'a' : 'b'}/${n}`));
  });

  test('takes up a worker that came later from its beginning, and no more than a thousand of what it did before', async () => {
    const { places } = await readOn(null);
    await register('new');
    await effects('new', 1, 2);
    expect((await readOn(places)).runs).toEqual(['new/1', 'new/2']);
    await register('old');
    await effects('old', 1, 1_500);
    const page = await readOn([], 2_000);
    expect(page.runs.filter((run) => run.startsWith('old'))).toHaveLength(1_000);
    expect(page.runs.at(-1)).toBe('old/1500');
  });

  test('forgets who ended or was not heard of for long, and finishes reading what it did', async () => {
    await register('a');
    const { places } = await readOn(null);
    await effects('a', 1, 1);
    await store.reports.deregister(incarnationOf('a'));
    const last = await readOn(places);
    expect(last.runs).toEqual(['a/1']);
    expect((await readOn(last.places)).places).toEqual([]);
  });

  test('goes on reading who does not report but lets something in, and forgets who does neither', async () => {
    await register('mute');
    await effects('mute', 1, 1);
    const aged = async (table: string, column: string): Promise<unknown> =>
      owner.query(`update killdrill.${table} set ${column} = ${column} - interval '2 minutes' where namespace = $1`, [
        namespace,
      ]);
    await aged('worker', 'registered_at');
    const { places } = await readOn(null);
    expect(places).toEqual([{ incarnation: incarnationOf('mute'), seq: 1 }]);
    const quiet = await readOn(places);
    await effects('mute', 2, 1);
    expect((await readOn(quiet.places)).runs).toEqual(['mute/2']);
    await aged('intent', 'at');
    expect((await readOn(null)).places).toEqual([]);
  });

  test('shows nothing of another namespace, and nothing to a worker', async () => {
    await register('a');
    await effects('a', 1, 1);
    const elsewhere = openJournalSource({ connectionString: database.flipperUrl, namespace: 'prepared' });
    const asWorker = openJournalSource({ connectionString: database.workerUrl, namespace });
    try {
      expect((await elsewhere.page([{ incarnation: incarnationOf('a'), seq: 0 }], LIMIT)).rows).toEqual([]);
      await expect(asWorker.page(null, LIMIT)).rejects.toMatchObject({ code: 'STORE_FORBIDDEN' });
    } finally {
      await elsewhere.close();
      await asWorker.close();
    }
  });
});
