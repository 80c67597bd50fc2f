import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { KilldrillError, messageOf } from '../../errors.ts';
import { readMigrations } from './migration-files.ts';
import type { Migration } from './migration-files.ts';
import { DEFAULT_SCHEMA } from './options.ts';
import { SCHEMA_VERSION, schemaVersionError } from './schema-version.ts';
import type { Queryable } from './schema-version.ts';
import { REFUSED, sqlStateOf, storeError } from './store-error.ts';

export interface MigrateOptions {
  /** The fleet's world of switches; made if it is not there. */
  readonly namespace: string;
  /** The PostgreSQL schema that holds everything; `killdrill`. */
  readonly schema?: string;
  /** Makes the epoch of a new namespace; a random UUID. */
  readonly newEpoch?: () => string;
}

export interface Migrated {
  readonly version: number;
  /** Names of the files that were applied just now; empty when the database was up to date. */
  readonly applied: readonly string[];
}

/** Longest wait for another migration of the same database, and for each other lock. */
const LOCK_BOUND = '30s';

/**
 * Prepares a database, as its owner and on one connection: all that is missing, in one transaction, or nothing.
 * Idempotent; several at once take turns.
 *
 * @throws KilldrillError `SCHEMA_VERSION` when the database is newer than this killdrill, `ROLE_NOT_GRANTED` when the
 * owner may not make the roles ready (the message has the statement for a superuser).
 */
export async function migrate(client: Queryable, options: MigrateOptions): Promise<Migrated> {
  const schema = options.schema ?? DEFAULT_SCHEMA;
  if (options.namespace.length === 0 || options.namespace.length > 300) {
    throw new KilldrillError(
      'NAMESPACE_NAME',
      `a namespace has 1 to 300 characters, found ${options.namespace.length}`,
    );
  }
  try {
    await client.query('begin isolation level read committed');
    const applied = await applyMissing(client, schema);
    await client.query('insert into head (namespace, epoch) values ($1, $2) on conflict (namespace) do nothing', [
      options.namespace,
      (options.newEpoch ?? randomUUID)(),
    ]);
    await client.query('select age_ms()'); // the store counts as up from here
    await client.query('commit');
    return { version: SCHEMA_VERSION, applied };
  } catch (thrown) {
    await client.query('rollback').catch(() => undefined); // the first error is the one to tell
    throw storeError('migrate', thrown);
  }
}

async function applyMissing(client: Queryable, schema: string): Promise<readonly string[]> {
  const quoted = pg.escapeIdentifier(schema);
  await client.query(`set local lock_timeout = '${LOCK_BOUND}'`);
  await client.query(`select pg_advisory_xact_lock(hashtextextended('killdrill migrate ' || $1, 0))`, [schema]);
  await client.query(`create schema if not exists ${quoted}`);
  // Functions are made with `set search_path from current`, and keep this one; pg_temp last, so that nobody's temporary
  // table can stand in for one of ours.
  await client.query(`set local search_path = ${quoted}, pg_temp`);
  await client.query(
    `create table if not exists migration (number integer primary key, name text not null, applied_at timestamptz not null default clock_timestamp())`,
  );
  const { rows } = await client.query('select coalesce(max(number), 0) as version from migration');
  const found = Number(rows[0]?.['version']);
  if (found > SCHEMA_VERSION) throw schemaVersionError(schema, found);
  const missing = readMigrations().filter(({ number }) => number > found);
  for (const migration of missing) await apply(client, quoted, migration);
  return missing.map(({ name }) => name);
}

async function apply(client: Queryable, quotedSchema: string, migration: Migration): Promise<void> {
  try {
    await client.query(migration.sql);
  } catch (thrown) {
    if (sqlStateOf(thrown) === REFUSED) throw thrown;
    throw new KilldrillError(
      'MIGRATION_FAILED',
      `${migration.name} failed and nothing was changed: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
  // PostgreSQL lets everybody execute a new function; here only the roles that a migration names may.
  await client.query(`revoke all on all functions in schema ${quotedSchema} from public`);
  await client.query('insert into migration (number, name) values ($1, $2)', [migration.number, migration.name]);
}
