import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ExecutorOrder } from './executor-main.ts';

/** One life of an executor's process. */
export class ExecutorProcess {
  readonly member: string;
  /** How often it said each word. */
  readonly said = new Map<string, number>();
  /** When it said each word for the first time, milliseconds from its start. */
  readonly firstMs = new Map<string, number>();
  readonly #startedMs = performance.now();
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #log = '';

  constructor(main: string, order: ExecutorOrder) {
    this.member = order.member;
    this.#child = spawn(process.execPath, [main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], EXECUTOR_ORDER: JSON.stringify(order) },
    });
    this.#ended = once(this.#child, 'exit');
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('an executor has no pipes');
    createInterface({ input: stdout }).on('line', (word) => this.#heard(word));
    stderr.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it wrote to stderr. */
  get log(): string {
    return this.#log;
  }

  #heard(word: string): void {
    this.said.set(word, (this.said.get(word) ?? 0) + 1);
    if (!this.firstMs.has(word)) this.firstMs.set(word, performance.now() - this.#startedMs);
  }

  /** kill -9; resolves once it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
