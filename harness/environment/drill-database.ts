import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { migrate } from '../../src/store/postgres/migrate.ts';
import type { Credentials, DrillDatabase } from './environment.ts';

/** A server as its superuser reaches it. */
export interface AdministeredServer {
  /** A host, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly superuser: Credentials;
  readonly ssl?: pg.ClientConfig['ssl'];
}

export interface DrillDatabaseOptions {
  /** Put before the drill's name, so that several harnesses can share a server. Default none. */
  readonly prefix?: string;
  /** Kept with the database: whose it is. Default none. */
  readonly comment?: string;
}

const DATABASE_NAME = /^[a-z][a-z0-9_]{0,40}$/;
const QUERY_BOUND_MS = 20_000;

/**
 * A migrated database with its namespace of the same name, and a login role for each right. Only they (and the
 * superuser) may connect.
 *
 * @throws KilldrillError `DATABASE_NAME`, `DATABASE_NOT_MADE`
 */
export async function createDrillDatabase(
  server: AdministeredServer,
  drill: string,
  { prefix = '', comment }: DrillDatabaseOptions = {},
): Promise<DrillDatabase> {
  const name = `${prefix}${drill}`;
  if (!DATABASE_NAME.test(name)) {
    throw new KilldrillError(
      'DATABASE_NAME',
      `'${name}' is no name for a drill's database: expected at most 41 of a-z, 0-9 and _, a letter first`,
    );
  }
  const login = (right: string): Credentials => ({ user: `${name}_${right}`, password: newSecret() });
  const database = { name, owner: login('owner'), flipper: login('flipper'), worker: login('worker') };
  const { owner, flipper, worker } = database;

  await withClient(server, server.superuser, 'postgres', async (client) => {
    // first of all, so that whatever is made from here on can be found again
    await client.query(`create database ${name}`);
    if (comment !== undefined) await client.query(`comment on database ${name} is ${pg.escapeLiteral(comment)}`);
    // the owner makes the group roles when it migrates, and passes on the right to signal backends
    await client.query(`create role ${owner.user} login createrole password '${owner.password}'`);
    await client.query(`grant pg_signal_backend to ${owner.user} with admin option`);
    await client.query(`alter database ${name} owner to ${owner.user}`);
    await client.query(`revoke connect, temporary on database ${name} from public`);
  });
  await withClient(server, owner, name, (client) => migrate(client, { namespace: name }));
  await withClient(server, server.superuser, 'postgres', async (client) => {
    for (const [{ user, password }, group] of [
      [flipper, 'killdrill_flipper'],
      [worker, 'killdrill_worker'],
    ] as const) {
      await client.query(`create role ${user} login password '${password}' in role ${group}`);
      await client.query(`grant connect on database ${name} to ${user}`);
    }
  });
  return { ...database, drop: () => dropDrillDatabase(server, name) };
}

/**
 * Drops a drill's database and its roles. The owner stays behind where it made the group roles ready, which another database
 * may use by now; on a server of ours it is gone with the server.
 */
export async function dropDrillDatabase(server: AdministeredServer, name: string): Promise<void> {
  await withClient(server, server.superuser, 'postgres', async (client) => {
    await client.query(`drop database if exists ${name} with (force)`);
    for (const right of ['flipper', 'worker']) await client.query(`drop role if exists ${name}_${right}`);
    await client.query(`drop role if exists ${name}_owner`).catch(() => undefined);
  });
}

/** Uses a connection, bounded in everything. @throws KilldrillError `DATABASE_NOT_MADE` */
export async function withClient<T>(
  { host, port, ssl }: AdministeredServer,
  { user, password }: Credentials,
  database: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...{ host, port, user, password, database },
    ...(ssl === undefined ? {} : { ssl }),
    connectionTimeoutMillis: QUERY_BOUND_MS,
    query_timeout: QUERY_BOUND_MS,
    statement_timeout: QUERY_BOUND_MS,
  });
  client.on('error', () => undefined); // the query's own rejection tells
  try {
    await client.connect();
    return await use(client);
  } catch (cause) {
    if (cause instanceof KilldrillError) throw cause;
    throw new KilldrillError(
      'DATABASE_NOT_MADE',
      `the drill's database could not be administered: ${messageOf(cause)}`,
      { cause },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** 128 random bits, safe between the quotes of a statement. */
export function newSecret(): string {
  return randomBytes(16).toString('hex');
}
