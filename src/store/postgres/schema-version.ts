import pg from 'pg';
import { KilldrillError } from '../../errors.ts';
import { DEFAULT_SCHEMA } from './options.ts';
import { sqlStateOf, storeError } from './store-error.ts';

/** The number of the last migration that this version of killdrill knows, which is the only one it works with. */
export const SCHEMA_VERSION = 21;

/** Anything that runs a statement: a `pg.Client`, a `pg.Pool`. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

const NOT_THERE = new Set(['42883', '3F000', '42P01']);

/**
 * Checks that the database is of this version. Every role of killdrill may ask.
 *
 * @throws KilldrillError `SCHEMA_VERSION` when it is older, newer or was never prepared; otherwise as any call.
 */
export async function assertSchemaVersion(
  client: Queryable,
  options: { readonly schema?: string } = {},
): Promise<void> {
  const schema = options.schema ?? DEFAULT_SCHEMA;
  const found = await readSchemaVersion(client, schema);
  if (found === SCHEMA_VERSION) return;
  throw schemaVersionError(schema, found);
}

export function schemaVersionError(schema: string, found: number): KilldrillError {
  const what = found === 0 ? 'is not prepared' : `has version ${found}`;
  const mend =
    found > SCHEMA_VERSION
      ? 'use the version of killdrill that it was migrated to'
      : 'run `killdrill migrate` as its owner';
  return new KilldrillError(
    'SCHEMA_VERSION',
    `the database's schema '${schema}' ${what}, but this killdrill works with version ${SCHEMA_VERSION}; ${mend}`,
  );
}

async function readSchemaVersion(client: Queryable, schema: string): Promise<number> {
  try {
    const { rows } = await client.query(`select ${pg.escapeIdentifier(schema)}.schema_version() as version`);
    return Number(rows[0]?.['version']);
  } catch (thrown) {
    if (NOT_THERE.has(sqlStateOf(thrown) ?? '')) return 0;
    throw storeError('schema_version', thrown);
  }
}
