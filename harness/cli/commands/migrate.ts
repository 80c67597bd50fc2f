import pg from 'pg';
import { messageOf } from '../../../src/errors.ts';
import { migrate as migrateDatabase } from '../../../src/store/postgres/migrate.ts';
import { KilldrillError } from '../../../src/errors.ts';
import { EXIT } from '../exit.ts';
import { data } from '../output.ts';
import { usage } from '../usage.ts';

const CONNECT_MS = 10_000;

/** `killdrill migrate`: prepares a database for a namespace, as its owner. Safe to run again. */
export async function migrate(flags: {
  readonly database?: string;
  readonly namespace?: string;
  readonly json?: boolean;
}): Promise<number> {
  const url = flags.database ?? process.env['KILLDRILL_DATABASE_URL'];
  if (url === undefined || url === '')
    throw usage('no database is named; give --database URL or set KILLDRILL_DATABASE_URL');
  const namespace = flags.namespace ?? process.env['KILLDRILL_NAMESPACE'] ?? 'default';
  const client = connection(url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { version, applied } = await migrateDatabase(client, { namespace });
    if (flags.json === true) data(JSON.stringify({ namespace, version, applied }));
    else if (applied.length === 0)
      data(`namespace '${namespace}' is ready; the database was at version ${version} already`);
    else data(`namespace '${namespace}' is ready; applied ${applied.join(', ')} (version ${version})`);
    return EXIT.pass;
  } catch (error) {
    if (error instanceof KilldrillError) throw error;
    throw new KilldrillError('MIGRATE_FAILED', `the database cannot be migrated: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function connection(url: string): pg.Client {
  try {
    return new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS, keepAlive: true });
  } catch {
    // The URL holds a password: it is not repeated.
    throw usage('the database URL cannot be read; expected postgres://user:password@host:port/database');
  }
}
