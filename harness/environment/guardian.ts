import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { KilldrillError } from '../../src/errors.ts';
import { assertDrillFolder } from './drill-folder.ts';
import { lookUpProcess } from './process-table.ts';
import type { ProcessId } from './process-table.ts';
import { sweep } from './sweep.ts';
import type { SweepReport } from './sweep.ts';
import { waitUntil } from './wait.ts';

/** A process of its own that ends and removes everything of a drill once this process is done or dead. */
export interface Guardian {
  readonly pid: number;
  /** Registers a process of the drill. Only needed where there is no /proc; elsewhere its environment tells. */
  watch(pid: number): void;
  /** Ends and removes everything of the drill, and says what took force. The same answer when called again. */
  done(): Promise<SweepReport>;
}

const READY_BOUND_MS = 20_000;
const DONE_BOUND_MS = 10_000;

/**
 * Starts the guardian of a drill whose folder does not exist yet. It holds this process's death by a pipe, so that
 * kill -9 is noticed too, and is in a session of its own, so that Ctrl-C is not its business.
 *
 * @param folder a path of `chooseDrillFolder`.
 * @throws KilldrillError `GUARDIAN_FAILED` when it is not ready within 20 s.
 */
export async function startGuardian({ folder }: { readonly folder: string }): Promise<Guardian> {
  assertDrillFolder(folder);
  const child = launch(folder);
  const guardian = new PipedGuardian(child, folder);
  if (await waitUntil(() => guardian.isReady || guardian.hasExited, { boundMs: READY_BOUND_MS })) {
    if (guardian.isReady) return guardian;
  }
  child.kill('SIGKILL');
  throw new KilldrillError(
    'GUARDIAN_FAILED',
    `the guardian process of ${folder} was not ready within ${READY_BOUND_MS} ms; without it no drill is started`,
  );
}

class PipedGuardian implements Guardian {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #lines: string[] = [];
  readonly #watched: ProcessId[] = [];
  #exited = false;
  #done: Promise<SweepReport> | null = null;

  constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    child.on('error', () => (this.#exited = true));
    child.on('close', () => (this.#exited = true));
    child.stdin?.on('error', () => undefined); // it was killed; done() sees that
    const lines: Interface | null = child.stdout && createInterface({ input: child.stdout });
    lines?.on('line', (line) => this.#lines.push(line));
    holdLoop(child, false);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isReady(): boolean {
    return this.#lines[0] === 'ready';
  }

  get hasExited(): boolean {
    return this.#exited;
  }

  watch(pid: number): void {
    const entry = lookUpProcess(pid);
    if (entry === null) return; // it has ended already
    this.#watched.push({ pid, start: entry.start });
    this.#child.stdin?.write(`watch ${pid} ${entry.start}\n`);
  }

  done(): Promise<SweepReport> {
    return (this.#done ??= this.#conclude());
  }

  async #conclude(): Promise<SweepReport> {
    holdLoop(this.#child, true);
    this.#child.stdin?.end('done\n');
    if (!(await waitUntil(() => this.#exited, { boundMs: DONE_BOUND_MS }))) this.#child.kill('SIGKILL');
    const said = this.#lines[1];
    if (said !== undefined) return JSON.parse(said) as SweepReport; // written by our own guardian-main
    const self = lookUpProcess(process.pid);
    return sweep({ folder: this.#folder, watched: this.#watched, spared: self === null ? [] : [self] }); // somebody killed it
  }
}

function launch(folder: string): ChildProcess {
  const extension = extname(fileURLToPath(import.meta.url));
  const main = fileURLToPath(new URL(`./guardian-main${extension}`, import.meta.url));
  const loader =
    extension === '.ts' ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
  const { PATH = '/usr/bin:/bin', TMPDIR } = process.env;
  return spawn(process.execPath, [...loader, main, folder], {
    cwd: '/', // it must not be found where it sweeps
    detached: true,
    env: { PATH, ...(TMPDIR === undefined ? {} : { TMPDIR }) },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

/** A guardian alone does not keep the harness alive; one that is waited for does. */
function holdLoop(child: ChildProcess, hold: boolean): void {
  const pipes = [child.stdin, child.stdout] as unknown as { ref(): void; unref(): void }[]; // sockets, by Node's documentation
  for (const handle of [child, ...pipes]) {
    if (hold) handle.ref();
    else handle.unref();
  }
}
