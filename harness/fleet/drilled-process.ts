import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { ChildProcess } from 'node:child_process';
import { systemClock } from '../../src/clock.ts';
import { KilldrillError } from '../../src/errors.ts';
import { readContractLines } from './contract-lines.ts';
import type { SaidLine } from './contract-lines.ts';

export interface ProcessSpec {
  /** Of the worker, the executor or the API; the same through all its lives. */
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folder that the process starts in. */
  readonly cwd: string;
  readonly record: ProcessRecord;
  /** Of a program that does not speak the fleet contract: whether a line of its stdout says that it is ready. */
  readonly saysReady?: (line: string) => boolean;
}

/** Puts on record what becomes of a process. */
export interface ProcessRecord {
  /** Called while the process is being started. */
  spawned(pid: number): void;
  /** The first time that it says so. */
  ready(line: SaidLine): void;
  /** Any other line. */
  said(line: SaidLine): void;
  /** `expected`: the harness had asked for it. */
  exited(exit: ProcessExit, expected: boolean): void;
  /** The last lines of one that ended without being asked to, once they are heard. */
  lastWords?(text: string): void;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const FLEET_NICENESS = 5;
const STDERR_KEPT = 4_000;
/** What is kept of one life's lines, each with what it costs beside its text: a fleet that floods its stdout fills no memory. */
const SAID_CHARS = 16 * 1024 * 1024;
const LINE_COST = 256;
/** After its end, what it said last may still be in the pipe; a child of its own may keep the pipe open for ever. */
const HEAR_OUT_MS = 250;

/** One life of a process under drill: a process group of its own, so that Ctrl-C reaches the harness only. */
export class DrilledProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended and what it said has been read; never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #record: ProcessRecord;
  readonly #saysReady: (line: string) => boolean;
  #exit: ProcessExit | null = null;
  #expected = false;
  #ready = false;
  #stderr = '';
  #heardOut = false;
  #saidChars = 0;

  /** @throws KilldrillError `FLEET_COMMAND` for an empty command; one that cannot be started ends at once. */
  constructor(spec: ProcessSpec) {
    const { name, command, environment, cwd, record } = spec;
    this.name = name;
    this.#record = record;
    this.#saysReady = spec.saysReady ?? (() => false);
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
        if (!this.#heardOut) this.#leaveLastWords();
        this.#heardOut = true;
        resolve(this.#exit ?? { code: null, signal: null });
      };
      this.#child.on('exit', (code, signal) => {
        this.#exit = { code, signal };
        record.exited(this.#exit, this.#expected);
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
    record.spawned(this.pid);
    this.#listen();
  }

  get isReady(): boolean {
    return this.#ready;
  }

  get hasExited(): boolean {
    return this.#exit !== null;
  }

  /** How it ended; null while it lives. */
  get exit(): ProcessExit | null {
    return this.#exit;
  }

  /** Nothing that it said is still to come. */
  get isHeardOut(): boolean {
    return this.#heardOut;
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

  #listen(): void {
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) return;
    readContractLines(
      stdout,
      (line, chars) => this.#said(line, chars),
      (noise) => this.#noise(noise),
    );
    stderr.setEncoding('utf8');
    stderr.on('error', () => undefined);
    stderr.on('data', (chunk: string) => this.#complain(chunk));
  }

  #noise(line: string): void {
    if (this.#saysReady(line)) this.#said({ event: 'ready' }, 0);
    else this.#complain(`stdout: ${line}\n`);
  }

  #complain(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
  }

  /** Its own end was no surprise, or its exit says all. */
  #leaveLastWords(): void {
    const text = this.complaint;
    if (!this.#expected && this.#exit !== null && text !== '') this.#record.lastWords?.(text);
  }

  #said(line: SaidLine, chars: number): void {
    if (line.event !== 'ready') return this.#keep(line, chars);
    if (this.#ready) return;
    this.#ready = true;
    this.#record.ready(line);
  }

  #keep(line: SaidLine, chars: number): void {
    if (this.#saidChars > SAID_CHARS) return;
    this.#saidChars += chars + LINE_COST;
    if (this.#saidChars > SAID_CHARS)
      this.#complain(`stdout: more than ${SAID_CHARS / 1024 / 1024} MiB of events; the rest of them is not kept\n`);
    else this.#record.said(line);
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
