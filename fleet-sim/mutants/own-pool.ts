import pg from 'pg';
import type { MutantContext } from './mutant.ts';

/** A connection of a mutant's own, for statements that a worker has no function for. */
export function ownPool({ databaseUrl }: MutantContext): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: 1_000,
    query_timeout: 1_000,
  });
  pool.on('error', () => undefined);
  return pool;
}
