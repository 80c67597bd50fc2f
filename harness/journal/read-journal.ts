import pg from 'pg';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { EventBody } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';

const QUERY_BOUND_MS = 60_000;

/** Columns carry nanoseconds of the store's own clock since its namespace was made, as `ns`. */
const QUERIES = {
  head: `select 0::float8 as ns, epoch, revision::int, hash from head where namespace = $1`,
  flips: `select (extract(epoch from f.at - h.created_at) * 1e9)::float8 as ns,
      f.revision::int, f.epoch, f.hash, f.text, f.signature
    from flip f join head h using (namespace) where f.namespace = $1 order by f.revision`,
  // An intent is before a flip iff its transaction is visible in the snapshot that the flip took under the exclusive lock.
  intents: `select (extract(epoch from i.at - h.created_at) * 1e9)::float8 as ns,
      i.incarnation, i.seq::int as intent, i.run, i.tenant, i.feature, i.agent, i.lineage, i.capability,
      i.idempotency_key as key, o.kind as outcome,
      coalesce((select max(f.revision) from flip f
        where f.namespace = i.namespace and not pg_visible_in_snapshot(i.xid, f.snapshot)), 0)::int as "afterRevision"
    from intent i join head h using (namespace)
    left join outcome o on o.incarnation = i.incarnation and o.seq = i.seq
    where i.namespace = $1 order by i.at, i.incarnation, i.seq`,
  tasks: `select (extract(epoch from t.created_at - h.created_at) * 1e9)::float8 as ns,
      t.id as task, t.run, t.state, t.attempts, t.admitted_revision::int as "admittedRevision"
    from task t join head h using (namespace) where t.namespace = $1 order by t.created_at, t.id`,
} as const;

const TYPES = { head: 'store.head', flips: 'store.flip', intents: 'store.intent', tasks: 'store.task' } as const;

/**
 * Reads what the store knows, after the fleet has ended, in one repeatable-read transaction, into the history.
 *
 * @throws KilldrillError `JOURNAL_UNREADABLE`
 */
export async function readJournal(config: pg.ClientConfig, namespace: string, history: HistorySink): Promise<void> {
  const client = new pg.Client({
    ...config,
    connectionTimeoutMillis: QUERY_BOUND_MS,
    query_timeout: QUERY_BOUND_MS,
    statement_timeout: QUERY_BOUND_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('begin transaction isolation level repeatable read read only');
    await client.query(`set local search_path = ${DEFAULT_SCHEMA}, pg_temp`);
    for (const name of ['head', 'flips', 'intents', 'tasks'] as const) {
      const { rows } = await client.query<{ ns: number } & Record<string, unknown>>(QUERIES[name], [namespace]);
      for (const { ns, ...row } of rows) {
        history.append({ type: TYPES[name], ...row } as unknown as EventBody, { t0: ns, t1: ns, clock: 'store' });
      }
    }
    await client.query('commit');
  } catch (cause) {
    throw new KilldrillError(
      'JOURNAL_UNREADABLE',
      `the store's journal cannot be read after the drill: ${messageOf(cause)}`,
      { cause },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
