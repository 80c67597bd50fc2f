import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { DRILL_FOLDER_VARIABLE } from './drill-folder.ts';
import type { Credentials } from './environment.ts';
import { copyPostgresBinaries, findPostgresBinaries } from './postgres-binaries.ts';
import { findServerUser } from './server-user.ts';
import type { ServerUser } from './server-user.ts';

/** Settings of postgresql.conf by name. */
export type PostgresSettings = Readonly<Record<string, string | number>>;

/** A data directory with the binaries to run it, not running yet. */
export interface PostgresCluster {
  readonly binary: string;
  readonly dataFolder: string;
  readonly socketFolder: string;
  readonly socketPath: string;
  readonly logPath: string;
  readonly superuser: Credentials;
  readonly user: ServerUser | null;
  /** The whole environment that a server of this cluster is started with: nothing of the user's leaks in. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ClusterOptions {
  readonly folder: string;
  readonly superuserPassword: string;
  readonly settings?: PostgresSettings;
}

const SUPERUSER = 'postgres';
const PORT = 5432; // part of the socket's name; no port is opened
const INITDB_BOUND_MS = 120_000;

/** For a server under test on two cores: as durable as a real one, small, and quick to stop. */
const SETTINGS: PostgresSettings = {
  listen_addresses: '',
  port: PORT,
  max_connections: 200,
  shared_buffers: '64MB',
  // /dev/shm is not in the drill's folder, so what a killed server leaves there would stay
  dynamic_shared_memory_type: 'mmap',
  fsync: 'on',
  synchronous_commit: 'on',
  max_wal_size: '512MB',
  checkpoint_timeout: '30min',
  autovacuum_naptime: '30s',
  log_timezone: 'UTC',
  timezone: 'UTC',
  log_min_messages: 'warning',
};

/**
 * Makes a new cluster: `postgres/` (binaries), `data/` and `s/` (the socket) in the existing folder.
 *
 * @throws KilldrillError `POSTGRES_MISSING`, `NO_SERVER_USER`, `SOCKET_PATH_TOO_LONG` or `POSTGRES_INITDB_FAILED`.
 */
export async function makePostgresCluster({
  folder,
  superuserPassword,
  settings,
}: ClusterOptions): Promise<PostgresCluster> {
  const socketFolder = join(folder, 's');
  const socketPath = join(socketFolder, `.s.PGSQL.${PORT}`);
  assertSocketPathFits(socketPath);
  const native = findPostgresBinaries();
  const user = await findServerUser();
  const binaries = join(folder, 'postgres');
  const dataFolder = join(folder, 'data');
  await copyPostgresBinaries(native, binaries);
  await makeFolderOf(user, dataFolder, 0o700);
  await makeFolderOf(user, socketFolder, 0o711);
  const cluster: PostgresCluster = {
    binary: join(binaries, 'bin', 'postgres'),
    dataFolder,
    socketFolder,
    socketPath,
    logPath: join(folder, 'postgres.log'),
    superuser: { user: SUPERUSER, password: superuserPassword },
    user,
    environment: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      LD_LIBRARY_PATH: join(binaries, 'lib'),
      LC_ALL: 'C',
      TZ: 'UTC',
      [DRILL_FOLDER_VARIABLE]: folder,
    },
  };
  await writeFile(cluster.logPath, '');
  await initialize(cluster, join(binaries, 'bin', 'initdb'), join(folder, 'pw'));
  const effective = { ...SETTINGS, unix_socket_directories: socketFolder, ...settings };
  const lines = Object.entries(effective).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`,
  );
  await appendFile(join(dataFolder, 'postgresql.conf'), `\n# killdrill\n${lines.join('')}`);
  return cluster;
}

function assertSocketPathFits(path: string): void {
  const limit = process.platform === 'darwin' ? 103 : 107; // sizeof(sun_path) less the closing zero
  const length = Buffer.byteLength(path);
  if (length <= limit) return;
  const message = `the path of PostgreSQL's socket has ${length} bytes and must not have more than ${limit}: ${path}; set TMPDIR to a shorter folder`;
  throw new KilldrillError('SOCKET_PATH_TOO_LONG', message);
}

async function makeFolderOf(user: ServerUser | null, path: string, mode: number): Promise<void> {
  await mkdir(path);
  await chmod(path, mode);
  if (user !== null) await chown(path, user.uid, user.gid);
}

async function initialize(cluster: PostgresCluster, initdb: string, passwordFile: string): Promise<void> {
  const { user, superuser, dataFolder, environment } = cluster;
  const options = ['--no-sync', '--no-instructions', '--encoding=UTF8', '--no-locale', '--auth=scram-sha-256'];
  const settings = ['--set=dynamic_shared_memory_type=mmap', '--set=listen_addresses='];
  await writeFile(passwordFile, superuser.password, { mode: 0o600, flag: 'wx' });
  try {
    if (user !== null) await chown(passwordFile, user.uid, user.gid);
    await promisify(execFile)(
      initdb,
      [...options, ...settings, `--username=${superuser.user}`, `--pwfile=${passwordFile}`, `--pgdata=${dataFolder}`],
      { ...user, cwd: dataFolder, env: environment, timeout: INITDB_BOUND_MS, killSignal: 'SIGKILL' },
    );
  } catch (cause) {
    const { stderr } = cause as { readonly stderr?: string };
    const said = (stderr?.trim() || messageOf(cause)).split('\n').slice(-10).join('\n');
    throw new KilldrillError('POSTGRES_INITDB_FAILED', `initdb could not make a database in ${dataFolder}: ${said}`, {
      cause,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}
