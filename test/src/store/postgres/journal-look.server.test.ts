import type pg from 'pg';
import { expect, test } from 'vitest';
import type { StoreHandles } from '../contract/world.ts';
import { stopText } from '../samples.ts';
import { namespaceEach } from './namespace-each.ts';

const WORKERS = 4;
const EACH = 5_000;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;

namespaceEach((ground) => ({ owner, namespace, store } = ground));

/** A journal of several unconfirmed lives, each with one open intent at its end. */
async function journalMuch(): Promise<void> {
  await owner.query(
    `insert into killdrill.intent (incarnation, seq, namespace, run, agent, lineage, capability, access, idempotency_key, deadline_ms)
     select $1 || '-' || w, s, $1, 'run', 'agent', '{}', 'write/mail', 'write', 'key', 60000
     from generate_series(1, $2::int) w, generate_series(1, $3::int) s`,
    [namespace, WORKERS, EACH],
  );
  await owner.query(
    `insert into killdrill.outcome (incarnation, seq, kind)
     select $1 || '-' || w, s, 'landed' from generate_series(1, $2::int) w, generate_series(1, $3::int - 1) s`,
    [namespace, WORKERS, EACH],
  );
  await owner.query('analyze killdrill.intent, killdrill.outcome');
}

test('a look at the journals of unconfirmed workers finds what is open there, and reads no table from its beginning', async () => {
  await journalMuch();
  await store.control.flip(stopText(namespace, { id: 'stop' }), null);
  const looks = async (): Promise<unknown[]> => {
    const facts = await store.effectiveness.stopFacts('stop');
    return facts === null || facts.unread.length > 0 ? [] : facts.openIntents.map(({ seq }) => seq);
  };
  await expect.poll(looks, { timeout: 20_000, interval: 5 }).toEqual(Array.from({ length: WORKERS }, () => EACH));
  await owner.query('begin');
  await owner.query('select killdrill.stop_facts($1, $2)', [namespace, 'stop']);
  const { rows } = await owner.query(
    `select seq_scan::int as scans from pg_stat_xact_user_tables where schemaname = 'killdrill' and relname = 'intent'`,
  );
  await owner.query('commit');
  expect(rows).toEqual([{ scans: 0 }]);
});
