import type pg from 'pg';
import { expect, test } from 'vitest';
import { stopText } from '../samples.ts';
import type { StoreHandles } from '../contract/world.ts';
import { namespaceEach } from './namespace-each.ts';
import { call, oneAnswer } from './statements.ts';

const STOPS = 600;
/** More than the five that a plan is made anew for. */
const TASKS = 8;
/** A task has eight keys at most here, each looked up three times at most: let in, claimed, put back. */
const MOST_ROWS_EACH = 24;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;

namespaceEach((ground) => ({ owner, namespace, store } = ground));

async function stopMany(): Promise<void> {
  const texts = Array.from({ length: STOPS }, (_, at) => stopText(namespace, { scope: 'agent', target: `gone-${at}` }));
  for (let at = 0; at < texts.length; at += 200) {
    const sql = 'select count(killdrill.flip($1, t, null, 5000)) from unnest($2::text[]) as t';
    await owner.query(sql, [namespace, texts.slice(at, at + 200)]);
  }
}

async function engagementsRead(): Promise<number> {
  const sql = `select (seq_tup_read + idx_tup_fetch)::int as answer from pg_stat_xact_user_tables
    where schemaname = 'killdrill' and relname = 'engagement'`;
  return oneAnswer(owner, sql, []);
}

/** Lets a task in, claims it and puts it back, as no stop is in its way. */
async function passThrough(id: string): Promise<void> {
  const { head } = await store.flips.load();
  const task = [id, 'run', id, 'acme', 'support', 'agent-1', '{parent-run}', 'write/mail', '{}', 0, null, 'fire', null];
  const columns = task.map((value) => [value]);
  const at = [head.epoch, head.revision, head.hash];
  expect(await call(owner, 'enqueue', namespace, 0, ...at, ...columns)).toMatchObject({ kind: 'admitted' });
  const claimed = await call<{ token: string }[]>(owner, 'claim', namespace, 'me', 1, 60_000);
  expect(claimed).toMatchObject([{ id }]);
  expect(await call(owner, 'retry', namespace, id, claimed[0]?.token, 60_000)).toBe('queued');
}

test.each(['never', 'while empty', 'now'])(
  'many open stops cost a task none of them covers nothing (statistics: %s)',
  async (when) => {
    await owner.query(`alter table killdrill.engagement set (autovacuum_enabled = off)`);
    if (when === 'while empty') await owner.query('analyze killdrill.engagement');
    await stopMany();
    if (when === 'now') await owner.query('analyze killdrill.engagement');
    for (let at = 0; at < TASKS; at += 1) {
      await owner.query('begin');
      const before = await engagementsRead();
      await passThrough(`task-${at}`);
      const read = (await engagementsRead()) - before;
      await owner.query('commit');
      expect(read).toBeLessThanOrEqual(MOST_ROWS_EACH);
    }
  },
);
