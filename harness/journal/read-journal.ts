import pg from 'pg';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { LedgerEntry } from '../../src/store/store.ts';
import type { EventBody } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';

const QUERY_BOUND_MS = 60_000;

/** Something is after a flip unless its transaction is visible in the snapshot that the flip took under the exclusive lock. */
const AFTER_REVISION = `coalesce((select max(f.revision) from flip f
        where f.namespace = h.namespace and not pg_visible_in_snapshot(it.xid, f.snapshot)), 0)::int as "afterRevision"`;

/** Columns carry nanoseconds of the store's own clock since its namespace was made, as `ns`. */
const QUERIES = {
  head: `select 0::float8 as ns, epoch, revision::int, hash from head where namespace = $1`,
  lives: `select (extract(epoch from l.first_asked_at - h.created_at) * 1e9)::float8 as ns
    from server_life l cross join head h where h.namespace = $1 order by l.first_asked_at`,
  flips: `select (extract(epoch from f.at - h.created_at) * 1e9)::float8 as ns,
      f.revision::int, f.epoch, f.hash, f.text, f.signature
    from flip f join head h using (namespace) where f.namespace = $1 order by f.revision`,
  intents: `select (extract(epoch from it.at - h.created_at) * 1e9)::float8 as ns,
      it.incarnation, it.seq::int as intent, it.run, it.tenant, it.feature, it.agent, it.lineage, it.capability,
      it.idempotency_key as key, o.kind as outcome, ${AFTER_REVISION}
    from intent it join head h using (namespace)
    left join outcome o on o.incarnation = it.incarnation and o.seq = it.seq
    where it.namespace = $1 order by it.at, it.incarnation, it.seq`,
  taskChanges: `select (extract(epoch from it.at - h.created_at) * 1e9)::float8 as ns,
      it.task, it."from", it."to", it.attempts, it.retry, (extract(epoch from it.due - h.created_at) * 1e9)::float8 as "dueNs",
      it.stamp::int as "admittedRevision", ${AFTER_REVISION}
    from drill_task_change it join head h using (namespace) where it.namespace = $1 order by it.seq`,
  tasks: `select (extract(epoch from t.created_at - h.created_at) * 1e9)::float8 as ns,
      t.id as task, t.kind, t.run, t.tenant, t.feature, t.agent, t.lineage, t.capability, t.critical, t.state, t.attempts,
      t.admitted_revision::int as "admittedRevision"
    from task t join head h using (namespace) where t.namespace = $1 order by t.created_at, t.id`,
  alerts: `select (extract(epoch from a.at - h.created_at) * 1e9)::float8 as ns, a.topic, a.partition, a.position::int, a.kind,
      a.detector, a.alert_id as "alertId", a.content, a.flip_id as "flipId", a.code, a.why
    from alert_record a join head h using (namespace) where a.namespace = $1 order by a.at, a.partition, a.position`,
  alertPositions: `select 0::float8 as ns, p.topic, p.partition, p.position::int
    from alert_position p where p.namespace = $1 order by p.topic, p.partition`,
  // The first word counts; a bug that is asked often would fill the history.
  mutants: `select (extract(epoch from m.at - h.created_at) * 1e9)::float8 as ns, m.name, m.input, m.unmodified, m.mutated
    from drill_mutant m cross join head h where h.namespace = $1 order by m.seq limit 100`,
} as const;

const TYPES = {
  head: 'store.head',
  lives: 'store.life',
  flips: 'store.flip',
  intents: 'store.intent',
  taskChanges: 'store.taskChange',
  tasks: 'store.task',
  alerts: 'store.alert',
  alertPositions: 'store.alertPosition',
  mutants: 'store.mutant',
} as const;
const NAMES = [
  'head',
  'lives',
  'flips',
  'intents',
  'taskChanges',
  'tasks',
  'alerts',
  'alertPositions',
  'mutants',
] as const;

/** Where the journal is read: the database as its owner, and the ledger as the runtime gives it to an operator. */
export interface JournalSource {
  readonly owner: pg.ClientConfig;
  readonly namespace: string;
  readonly ledger: () => Promise<readonly LedgerEntry[]>;
}

/**
 * Reads what the store knows, after the fleet has ended, into the history: the tables in one repeatable-read transaction,
 * then the ledger, to which nobody adds any more.
 *
 * @throws KilldrillError `JOURNAL_UNREADABLE`
 */
export async function readJournal(source: JournalSource, history: HistorySink): Promise<void> {
  const client = new pg.Client({
    ...source.owner,
    connectionTimeoutMillis: QUERY_BOUND_MS,
    query_timeout: QUERY_BOUND_MS,
    statement_timeout: QUERY_BOUND_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const originMs = await readTables(client, source.namespace, history);
    for (const entry of await source.ledger()) appendEntry(entry, originMs, history);
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

/** Answers when the namespace was made, milliseconds since 1970. */
async function readTables(client: pg.Client, namespace: string, history: HistorySink): Promise<number> {
  await client.query('begin transaction isolation level repeatable read read only');
  await client.query(`set local search_path = ${DEFAULT_SCHEMA}, pg_temp`);
  for (const name of NAMES) {
    const { rows } = await client.query<{ ns: number } & Record<string, unknown>>(QUERIES[name], [namespace]);
    for (const { ns, ...row } of rows) {
      history.append({ type: TYPES[name], ...row } as unknown as EventBody, { t0: ns, t1: ns, clock: 'store' });
    }
  }
  const { rows } = await client.query<{ ms: number }>(
    'select (extract(epoch from created_at) * 1000)::float8 as ms from head where namespace = $1',
    [namespace],
  );
  await client.query('commit');
  return rows[0]?.ms ?? 0;
}

function appendEntry(entry: LedgerEntry, originMs: number, history: HistorySink): void {
  const { incarnation, seq: intent, run, capability, access, idempotencyKey: key, outcome, afterRevision } = entry;
  const compensation = entry.compensation === null ? null : { ...entry.compensation };
  // A Date has whole milliseconds, which is enough for a row that nothing is ordered by.
  const ns = (Date.parse(entry.at) - originMs) * 1e6;
  history.append(
    { type: 'store.ledger', incarnation, intent, run, capability, access, key, outcome, afterRevision, compensation },
    { t0: ns, t1: ns, clock: 'store' },
  );
}
