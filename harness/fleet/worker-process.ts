import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { ChildProcess } from 'node:child_process';
import { systemClock } from '../../src/clock.ts';
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

const FLEET_NICENESS = 5;
const STDERR_KEPT = 4_000;
/** After its end, what it said last may still be in the pipe; a child of its own may keep the pipe open for ever. */
const HEAR_OUT_MS = 250;

/** One incarnation of a worker: a process group of its own, so that Ctrl-C reaches the harness only. */
export class WorkerProcess {
  readonly worker: string;
  readonly channel: ChannelId;
  readonly pid: number;
  /** Resolves when the process has ended and what it said has been read; never rejects. */
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  readonly #history: HistorySink;
  #exit: WorkerExit | null = null;
  #expected = false;
  #ready = false;
  #stderr = '';
  #clockOffsetMs = 0;
  #heardOut = false;

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
    yieldToWitness(this.pid);
    this.exited = new Promise((resolve) => {
      const heardOut = (): void => {
        this.#heardOut = true;
        resolve(this.#exit ?? { code: null, signal: null });
      };
      this.#child.on('exit', (code, signal) => {
        this.#exit = { code, signal };
        this.#recordExit(this.#exit);
        this.#toGroup('SIGKILL'); // its children, if it left any, end with it
        systemClock.after(HEAR_OUT_MS, heardOut);
      });
      this.#child.on('close', heardOut);
      this.#child.on('error', (error) => {
        if (this.pid > 0) return; // a signal could not be sent
        this.#complain(error.message);
        this.#exit = { code: null, signal: null };
        heardOut();
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

  /** How it ended; null while it lives. */
  get exit(): WorkerExit | null {
    return this.#exit;
  }

  /** Nothing that it said is still to come. */
  get isHeardOut(): boolean {
    return this.#heardOut;
  }

  /** How far its wall clock is off, by its own word; 0 until it says otherwise. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** The end of what it wrote to stderr, for an error message. */
  get complaint(): string {
    return this.#stderr.trim().split('\n').slice(-5).join('\n');
  }

  /** Sends a signal to the whole process group. `expected` says that an exit is no surprise from now on. */
  signal(signal: NodeJS.Signals, { expected }: { readonly expected: boolean }): void {
    if (this.hasExited || this.pid <= 0) return;
    if (expected) this.#expected = true;
    this.#toGroup(signal);
  }

  #toGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Nobody is left in it; if that is news, the exit is on its way.
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
    if (line.event === 'clock' && typeof line['offsetMs'] === 'number') this.#clockOffsetMs = line['offsetMs'];
    if (line.event !== 'ready') {
      this.#history.append({ type: 'worker.said', worker, channel, said: line });
      return;
    }
    if (this.#ready) return;
    this.#ready = true;
    const incarnation = typeof line['incarnation'] === 'string' ? line['incarnation'] : null;
    this.#history.append({ type: 'worker.ready', worker, channel, incarnation });
  }
}

/** On a busy machine the witness must not wait for those whom it watches: its intervals would grow too wide to judge by. */
function yieldToWitness(pid: number): void {
  if (pid <= 0) return;
  try {
    setPriority(pid, FLEET_NICENESS);
  } catch {
    // It has ended already, or the system does not let us.
  }
}
