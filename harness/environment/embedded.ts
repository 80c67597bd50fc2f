import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import pg from 'pg';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { migrate } from '../../src/store/postgres/migrate.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import type { Credentials, DrillDatabase, Environment } from './environment.ts';
import type { Guardian } from './guardian.ts';
import type { PostgresSettings } from './postgres-cluster.ts';

const DATABASE_NAME = /^[a-z][a-z0-9_]{0,40}$/;
const QUERY_BOUND_MS = 20_000;

/**
 * The environment that needs nothing but `npm ci`: a PostgreSQL server of its own in the drill's folder.
 *
 * @param options.folder the drill's folder, made; its guardian is running already.
 * @throws KilldrillError as `startEmbeddedPostgres`.
 */
export async function startEmbedded(options: {
  readonly folder: string;
  readonly guardian: Guardian;
  readonly settings?: PostgresSettings;
}): Promise<Environment> {
  const { folder, guardian, settings = {} } = options;
  const postgres = await startEmbeddedPostgres({
    folder,
    superuserPassword: newSecret(),
    settings,
    onStarted: (pid) => guardian.watch(pid),
  });
  return {
    name: 'embedded',
    facts: {
      environment: 'embedded (servers of its own, nothing else needed)',
      postgres: `PostgreSQL ${postgres.version}, embedded, on a unix socket`,
      'alert bus': 'none in this drill',
    },
    postgres,
    createDatabase: (name) => createDatabase(postgres, name),
    close: async () => {
      await postgres.stop();
      await removeCluster(folder);
    },
  };
}

/**
 * A migrated database with its namespace of the same name, and a login role for each right. Only they (and the
 * superuser) may connect.
 */
async function createDatabase(postgres: EmbeddedPostgres, name: string): Promise<DrillDatabase> {
  if (!DATABASE_NAME.test(name)) {
    throw new KilldrillError(
      'DATABASE_NAME',
      `'${name}' is no name for a drill's database: expected at most 41 of a-z, 0-9 and _, a letter first`,
    );
  }
  const login = (right: string): Credentials => ({ user: `${name}_${right}`, password: newSecret() });
  const database = { name, owner: login('owner'), flipper: login('flipper'), worker: login('worker') };
  const { owner, flipper, worker } = database;
  const as = (credentials: Credentials, where: string) => connection(postgres.socketFolder, credentials, where);

  await withClient(as(postgres.superuser, 'postgres'), async (client) => {
    // the owner makes the group roles when it migrates, and passes on the right to signal backends
    await client.query(`create role ${owner.user} login createrole password '${owner.password}'`);
    await client.query(`grant pg_signal_backend to ${owner.user} with admin option`);
    await client.query(`create database ${name} owner ${owner.user}`);
    await client.query(`revoke connect, temporary on database ${name} from public`);
  });
  await withClient(as(owner, name), (client) => migrate(client, { namespace: name }));
  await withClient(as(postgres.superuser, 'postgres'), async (client) => {
    for (const [{ user, password }, group] of [
      [flipper, 'killdrill_flipper'],
      [worker, 'killdrill_worker'],
    ] as const) {
      await client.query(`create role ${user} login password '${password}' in role ${group}`);
      await client.query(`grant connect on database ${name} to ${user}`);
    }
  });
  return { ...database, drop: () => dropDatabase(as(postgres.superuser, 'postgres'), database) };
}

/** The roles' names stay behind when another database's objects depend on them; they are gone with the server. */
async function dropDatabase(
  superuser: pg.ClientConfig,
  { name, flipper, worker }: Omit<DrillDatabase, 'drop'>,
): Promise<void> {
  await withClient(superuser, async (client) => {
    await client.query(`drop database if exists ${name} with (force)`);
    for (const { user } of [flipper, worker]) await client.query(`drop role if exists ${user}`);
  });
}

function connection(socketFolder: string, { user, password }: Credentials, database: string): pg.ClientConfig {
  const bounds = {
    connectionTimeoutMillis: QUERY_BOUND_MS,
    query_timeout: QUERY_BOUND_MS,
    statement_timeout: QUERY_BOUND_MS,
  };
  return { host: socketFolder, port: 5432, user, password, database, ...bounds };
}

async function withClient(config: pg.ClientConfig, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(config);
  client.on('error', () => undefined); // the query's own rejection tells
  try {
    await client.connect();
    await use(client);
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

async function removeCluster(folder: string): Promise<void> {
  const parts = ['data', 's', 'postgres', 'postgres.log'].map((part) => `${folder}/${part}`);
  await Promise.all(parts.map((path) => rm(path, { recursive: true, force: true })));
}

/** 128 random bits, safe between the quotes of a statement. */
function newSecret(): string {
  return randomBytes(16).toString('hex');
}
