import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { Credentials, PostgresServer } from './environment.ts';
import { makePostgresCluster } from './postgres-cluster.ts';
import type { ClusterOptions, PostgresCluster } from './postgres-cluster.ts';
import { killServer, pauseServer, resumeServer } from './postgres-processes.ts';
import type { ServerProcesses } from './postgres-processes.ts';
import { lookUpProcess } from './process-table.ts';
import { waitUntil } from './wait.ts';

/** A PostgreSQL server of our own, in a folder, on a unix socket. */
export interface EmbeddedPostgres extends PostgresServer {
  /** Give it to a client as `host`, with port 5432. */
  readonly socketFolder: string;
  readonly superuser: Credentials;
  /** As the server says it, e.g. `18.4`. */
  readonly version: string;
}

export interface EmbeddedPostgresOptions extends ClusterOptions {
  /** Told the postmaster's pid at each start, for a guardian where there is no /proc. */
  readonly onStarted?: (postmaster: number) => void;
}

const READY_BOUND_MS = 30_000;
/** How long the backends of a killed server may keep its shared memory. */
const LEFTOVERS_BOUND_MS = 5_000;
const FAST_SHUTDOWN_BOUND_MS = 5_000;
const IMMEDIATE_SHUTDOWN_BOUND_MS = 1_000;
/** What the server says while something of its killed predecessor is still ending. */
const LEFTOVERS = /shared memory block .* is still in use|lock file ".*" already exists/;

/**
 * Makes a cluster in the existing folder and starts it. As root the server runs as `nobody`, so the folder must be
 * traversable for others.
 *
 * @throws KilldrillError as `makePostgresCluster`, or `POSTGRES_START_FAILED` with the last lines of the server's log.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const server = new Server(await makePostgresCluster(options), options.onStarted ?? (() => undefined));
  await server.start();
  return server;
}

interface Running {
  readonly child: ChildProcess;
  readonly processes: ServerProcesses;
  /** Resolves when the postmaster has ended and is reaped. */
  readonly exited: Promise<void>;
  ended: boolean;
}

class Server implements EmbeddedPostgres {
  readonly target: { readonly path: string };
  readonly socketFolder: string;
  readonly superuser: Credentials;
  readonly #cluster: PostgresCluster;
  readonly #onStarted: (postmaster: number) => void;
  #version = '';
  #running: Running | null = null;
  /** Operations run one after another: a fault's undo may come while the fault is still being injected. */
  #queue: Promise<void> = Promise.resolve();

  constructor(cluster: PostgresCluster, onStarted: (postmaster: number) => void) {
    this.#cluster = cluster;
    this.#onStarted = onStarted;
    this.target = { path: cluster.socketPath };
    this.socketFolder = cluster.socketFolder;
    this.superuser = cluster.superuser;
  }

  get version(): string {
    return this.#version;
  }

  start(): Promise<void> {
    return this.#inTurn(() => this.#start());
  }

  kill(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running === null) return;
      const { processes, exited } = this.#running;
      await killServer(processes);
      await exited;
      this.#running = null;
    });
  }

  pause(): Promise<void> {
    return this.#inTurn(() => {
      if (this.#running === null || this.#running.ended) {
        throw new KilldrillError('POSTGRES_DOWN', 'PostgreSQL is to be paused but is not running; start it first');
      }
      return pauseServer(this.#running.processes);
    });
  }

  resume(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running !== null) await resumeServer(this.#running.processes);
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running === null) return;
      const running = this.#running;
      await resumeServer(running.processes);
      if (!(await askToEnd(running, 'SIGINT', FAST_SHUTDOWN_BOUND_MS))) {
        await askToEnd(running, 'SIGQUIT', IMMEDIATE_SHUTDOWN_BOUND_MS);
      }
      await killServer(running.processes); // finds nothing unless force is needed
      await running.exited;
      this.#running = null;
    });
  }

  async #start(): Promise<void> {
    if (this.#running !== null && !this.#running.ended) return;
    if (this.#running !== null) await killServer(this.#running.processes); // it crashed: its backends may be left
    const giveUpMs = performance.now() + LEFTOVERS_BOUND_MS;
    for (;;) {
      const logStart = readFileSync(this.#cluster.logPath).length;
      this.#running = launch(this.#cluster);
      this.#onStarted(this.#running.processes.postmaster.pid);
      const failure = await this.#untilReady(this.#running);
      if (failure === null) return;
      await killServer(this.#running.processes);
      this.#running = null;
      const log = readFileSync(this.#cluster.logPath).subarray(logStart).toString();
      if (!LEFTOVERS.test(log) || performance.now() > giveUpMs) throw startFailed(failure, log);
    }
  }

  /** Null when the server accepts connections, or a sentence that says why it does not. */
  async #untilReady(running: Running): Promise<string | null> {
    let failure = 'no connection was tried';
    const over = await waitUntil(
      async () => {
        if (running.ended) return true;
        const answer = await this.#tryConnection();
        if (answer.kind === 'refused') failure = answer.why;
        else this.#version = answer.version;
        return answer.kind === 'accepted';
      },
      { boundMs: READY_BOUND_MS, everyMs: 15 },
    );
    if (running.ended) return 'the server ended by itself';
    return over ? null : `no connection was accepted within ${READY_BOUND_MS} ms (${failure})`;
  }

  async #tryConnection(): Promise<{ kind: 'accepted'; version: string } | { kind: 'refused'; why: string }> {
    const { user, password } = this.superuser;
    const where = { host: this.socketFolder, port: 5432, database: 'postgres' };
    const client = new pg.Client({ ...where, user, password, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
    client.on('error', () => undefined); // a server that dies meanwhile shows in the answer
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>('show server_version');
      return { kind: 'accepted', version: rows[0]?.server_version ?? 'unknown' };
    } catch (error) {
      return { kind: 'refused', why: messageOf(error) };
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #inTurn(operation: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(operation);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

/** Starts the postmaster itself, in a group of its own: Ctrl-C reaches the harness only, which then undoes in order. */
function launch({ binary, dataFolder, logPath, user, environment }: PostgresCluster): Running {
  const log = openSync(logPath, 'a');
  const stdio: StdioOptions = ['ignore', log, log];
  try {
    const child = spawn(binary, ['-D', dataFolder], {
      ...user,
      cwd: dataFolder,
      env: environment,
      detached: true,
      stdio,
    });
    child.on('error', () => undefined); // a failed spawn shows in the missing pid
    const postmaster = child.pid === undefined ? null : lookUpProcess(child.pid);
    if (postmaster === null) {
      throw new KilldrillError(
        'POSTGRES_START_FAILED',
        `${binary} could not be started; is the folder on a file system mounted noexec?`,
      );
    }
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const running: Running = { child, exited, ended: false, processes: { postmaster, dataFolder } };
    void exited.then(() => (running.ended = true));
    return running;
  } finally {
    closeSync(log);
  }
}

/** Whether the postmaster ended within the bound after the signal. */
async function askToEnd(running: Running, signal: NodeJS.Signals, boundMs: number): Promise<boolean> {
  running.child.kill(signal);
  return waitUntil(() => running.ended, { boundMs });
}

function startFailed(failure: string, log: string): KilldrillError {
  const last = log.trim().split('\n').slice(-10).join('\n');
  return new KilldrillError(
    'POSTGRES_START_FAILED',
    `PostgreSQL did not start: ${failure}; the end of its log: ${last || '(empty)'}`,
  );
}
