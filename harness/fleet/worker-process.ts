import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { KilldrillError } from '../../src/errors.ts';
import type { ChannelId } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import { readContractLines } from './contract-lines.ts';
import type { SaidLine } from './contract-lines.ts';

export interface WorkerSpec {
  readonly worker: string;
  readonly channel: ChannelId;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folder that the process starts in. */
  readonly cwd: string;
  readonly history: HistorySink;
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const STDERR_KEPT = 4_000;

/** One incarnation of a worker: a process group of its own, so that Ctrl-C reaches the harness only. */
export class WorkerProcess {
  readonly worker: string;
  readonly channel: ChannelId;
  readonly pid: number;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  readonly #history: HistorySink;
  #exit: WorkerExit | null = null;
  #expected = false;
  #ready = false;
  #stderr = '';
  #onReady: (() => void)[] = [];

  constructor(spec: WorkerSpec) {
    const { worker, channel, command, environment, cwd, history } = spec;
    this.worker = worker;
    this.channel = channel;
    this.#history = history;
    const [program, ...args] = command;
    if (program === undefined)
      throw new KilldrillError('FLEET_COMMAND', 'the fleet has an empty command; expected a program and its arguments');
    this.#child = spawn(program, args, {
      cwd,
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.pid = this.#child.pid ?? -1;
    this.exited = new Promise((resolve) => {
      const ended = (exit: WorkerExit): void => {
        if (this.#exit !== null) return;
        this.#exit = exit;
        if (this.pid > 0) this.#recordExit(exit);
        for (const wake of this.#onReady.splice(0)) wake();
        resolve(exit);
      };
      this.#child.on('exit', (code, signal) => ended({ code, signal }));
      this.#child.on('error', (error) => {
        this.#stderr += `cannot be started: ${error.message}`;
        if (this.pid < 0) ended({ code: null, signal: null });
      });
    });
    history.append({ type: 'worker.spawned', worker, channel, pid: this.pid });
    this.#listen();
  }

  get isReady(): boolean {
    return this.#ready;
  }

  get hasExited(): boolean {
    return this.#exit !== null;
  }

  /** The end of what it wrote to stderr, for an error message. */
  get complaint(): string {
    return this.#stderr.trim().split('\n').slice(-5).join('\n');
  }

  /** Resolves when it is ready or has exited, whichever comes first. */
  readyOrExited(): Promise<void> {
    if (this.#ready || this.hasExited) return Promise.resolve();
    return new Promise((resolve) => this.#onReady.push(resolve));
  }

  /** Sends a signal to the whole process group. `expected` says that an exit is no surprise from now on. */
  signal(signal: NodeJS.Signals, { expected }: { readonly expected: boolean }): void {
    if (this.hasExited || this.pid <= 0) return;
    if (expected) this.#expected = true;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It has ended meanwhile; its exit is on its way.
    }
  }

  #recordExit({ code, signal }: WorkerExit): void {
    const { worker, channel } = this;
    this.#history.append({ type: 'worker.exited', worker, channel, code, signal, expected: this.#expected });
  }

  #listen(): void {
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) return;
    readContractLines(
      stdout,
      (line) => this.#said(line),
      (noise) => this.#complain(`stdout: ${noise}\n`),
    );
    stderr.setEncoding('utf8');
    stderr.on('error', () => undefined);
    stderr.on('data', (chunk: string) => this.#complain(chunk));
  }

  #complain(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
  }

  #said(line: SaidLine): void {
    const { worker, channel } = this;
    if (line.event !== 'ready') {
      this.#history.append({ type: 'worker.said', worker, channel, said: line });
      return;
    }
    if (this.#ready) return;
    this.#ready = true;
    const incarnation = typeof line['incarnation'] === 'string' ? line['incarnation'] : null;
    this.#history.append({ type: 'worker.ready', worker, channel, incarnation });
    for (const wake of this.#onReady.splice(0)) wake();
  }
}
