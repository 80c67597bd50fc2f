import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import type { PreparedDatabase } from '../src/store/postgres/prepared-database.ts';

export const WAIT = { timeout: 20_000, interval: 5 };
const MAIN = join(import.meta.dirname, '../../fleet-sim/main.ts');

/** A world over HTTP that has no work, lands every effect, and holds those that it is told to. */
export class TinyWorld {
  readonly #server = createServer((request, response) => {
    request.resume();
    const key = request.headers['idempotency-key'];
    if (request.url?.endsWith('/work') === true) this.#poll(response);
    else if (typeof key === 'string') this.#arrive(key, response);
    else response.writeHead(404).end();
  });
  readonly holding = new Set<string>();
  readonly #held = new Map<string, ServerResponse>();
  /** Keys in the order of their arrival. */
  readonly arrived: string[] = [];
  /** Polls that are open now. */
  polls = 0;

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  land(key: string): void {
    this.#held.get(key)?.writeHead(200).end('{}');
    this.#held.delete(key);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #poll(response: ServerResponse): void {
    this.polls += 1;
    const answer = setTimeout(() => response.writeHead(204).end(), 10_000);
    response.once('close', () => {
      clearTimeout(answer);
      this.polls -= 1;
    });
  }

  #arrive(key: string, response: ServerResponse): void {
    this.arrived.push(key);
    if (this.holding.delete(key)) this.#held.set(key, response);
    else response.writeHead(200).end('{}');
  }
}

/** A worker of the simulated fleet as a process of its own, on a real database. */
export class WorkerProcess {
  readonly child: ChildProcess;
  /** What it said on stdout. */
  readonly said: Readonly<Record<string, unknown>>[] = [];
  #log = '';

  constructor(
    database: PreparedDatabase,
    namespace: string,
    worldUrl: string,
    environment: Readonly<Record<string, string>> = {},
    command: readonly string[] = ['--import', 'tsx', MAIN],
  ) {
    this.child = spawn(process.execPath, command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        KILLDRILL_WORKER: 'worker-1',
        KILLDRILL_NAMESPACE: namespace,
        KILLDRILL_WORLD_URL: worldUrl,
        KILLDRILL_DATABASE_URL: database.workerUrl,
        KILLDRILL_REGISTRY_URL: database.workerUrl,
        KILLDRILL_LEASE_MS: '10000',
        KILLDRILL_AGENTS: '4',
        ...environment,
      },
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error('a worker without pipes');
    createInterface({ input: stdout }).on('line', (line) =>
      this.said.push(JSON.parse(line) as Record<string, unknown>),
    );
    stderr.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
  }

  /** What it said on stderr. */
  get log(): string {
    return this.#log;
  }

  /** Waits until it says so. */
  async saying(event: string): Promise<Readonly<Record<string, unknown>>> {
    const find = () => this.said.find((one) => one['event'] === event);
    await expect.poll(() => find() ?? this.#log.slice(-2_000), WAIT).toHaveProperty('event', event);
    return find()!;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its exit code; null when a signal ended it. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}
