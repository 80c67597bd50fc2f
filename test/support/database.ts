import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** A database of its own on the run's PostgreSQL server. */
export interface TestDatabase {
  readonly name: string;
  readonly superuserUrl: string;
  /** The connection string of this database for a role that the test has made. */
  urlFor(user: string, password: string): string;
  /** Drops it, connections to it included. */
  drop(): Promise<void>;
}

/** Makes an empty database with a name that no other test has. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { socketFolder, user, password } = inject('postgresServer');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const urlOf = (database: string, as: string, secret: string) =>
    `postgresql://${encodeURIComponent(as)}:${encodeURIComponent(secret)}@/${database}?host=${encodeURIComponent(socketFolder)}`;
  const administer = (sql: string) => runOnce(urlOf('postgres', user, password), sql);
  await administer(`create database ${name}`);
  return {
    name,
    superuserUrl: urlOf(name, user, password),
    urlFor: (as, secret) => urlOf(name, as, secret),
    drop: () => administer(`drop database if exists ${name} with (force)`),
  };
}

async function runOnce(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on('error', () => undefined); // the query's own rejection tells
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(() => undefined);
  }
}
