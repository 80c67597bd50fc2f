import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { parseFlip } from '../../../../src/flip-text.ts';
import type { StoreHandles } from '../contract/world.ts';
import { releaseText, stopText } from '../samples.ts';
import { namespaceEach } from './namespace-each.ts';
import type { PreparedDatabase } from './prepared-database.ts';

const FETCH = 'fetch 100 from killdrill_load';
let database: PreparedDatabase;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;

namespaceEach((ground) => ({ database, owner, namespace, store } = ground));

/** Stops by the store's own function, some in one statement: in one transaction they all would touch one row again and again. */
async function stopMany(ids: readonly string[]): Promise<void> {
  const texts = ids.map((id) => stopText(namespace, { id, scope: 'run', target: id }));
  for (let at = 0; at < texts.length; at += 250) {
    const sql = 'select count(killdrill.flip($1, t, null, 5000)) from unnest($2::text[]) as t';
    await owner.query(sql, [namespace, texts.slice(at, at + 250)]);
  }
}

describe('a load', () => {
  test.each([1_999, 2_000, 2_001, 4_100])('of %i open engagements has each once, in order', async (count) => {
    const ids = Array.from({ length: count }, (_, at) => `stop-${at}`);
    await stopMany(ids);
    const { open, head } = await store.flips.load();
    expect(open.map(({ text }) => parseFlip(text).id)).toEqual(ids);
    expect(open.map(({ revision }) => revision)).toEqual(ids.map((_, at) => at + 1));
    expect(head).toEqual({ epoch: open[0]?.epoch, revision: count, hash: open.at(-1)?.hash });
  });

  test('leaves its connection as it was: the next one sees what came since', async () => {
    await stopMany(['a', 'b']);
    expect((await store.flips.load('signed')).released).toEqual({ since: null, releases: [] });
    await store.control.flip(releaseText(namespace, ['a']), null);
    const { open, released } = await store.flips.load('all');
    expect(open.map(({ text }) => parseFlip(text).id)).toEqual(['b']);
    expect(released?.releases).toMatchObject([{ revision: 3, closed: [{ revision: 1 }] }]);
    expect(await store.flips.flipsAfter({ ...(await store.flips.load()).head })).toMatchObject({ flips: [] });
  });

  test('reads its last page in the snapshot of its head, whatever is stopped and released meanwhile', async () => {
    await stopMany(['a', 'b']);
    const worker = await database.connect(database.workerUrl);
    await worker.query('begin');
    const { rows: begun } = await worker.query(`select killdrill.begin_load($1, 'none') as answer`, [namespace]);
    await store.control.flip(releaseText(namespace, ['a']), null);
    await stopMany(['c']);
    const { rows } = await worker.query(FETCH);
    await worker.query('commit');
    expect(begun[0]).toMatchObject({ answer: { head: { revision: 2 } } });
    expect(rows).toMatchObject([{ revision: 1 }, { revision: 2 }]);
  });

  test('is refused, and costs no connection, where the namespace is unknown', async () => {
    const elsewhere = database.open(`${namespace}-unknown`);
    try {
      await expect(elsewhere.flips.load()).rejects.toMatchObject({ code: 'NAMESPACE_UNKNOWN' });
      await database.addNamespace(`${namespace}-unknown`);
      expect(await elsewhere.flips.load()).toMatchObject({ head: { revision: 0 }, open: [] });
    } finally {
      await elsewhere.close();
    }
  });

  test('shows a worker no more than what is open: it may read no table', async () => {
    const worker = await database.connect(database.workerUrl);
    await expect(worker.query('select from killdrill.flip')).rejects.toMatchObject({ code: '42501' });
    await expect(worker.query(FETCH)).rejects.toMatchObject({ code: '34000' });
  });
});
