import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../../', import.meta.url));
const main = join(project, 'dist/harness/cli/main.js');

export interface Ended {
  /** As a shell shows it: a process that was ended by a signal has 128 and the signal's number. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
const BOUND_MS = 150_000;

/** A folder of its own for a test file: scenarios, bundles, and the temporary folder of the drills that it starts. */
export class Workshop {
  readonly folder: string;
  readonly tmp: string;
  readonly #children = new Set<ChildProcess>();

  constructor() {
    if (!existsSync(main)) throw new Error('there is no dist/; run `npm run build`');
    // short, and others may pass: PostgreSQL's user and its sockets are in there
    this.folder = mkdtempSync(join(realpathSync(tmpdir()), 'kde-'));
    this.tmp = join(this.folder, 't');
    const umask = process.umask(0);
    mkdirSync(this.tmp, { mode: 0o1777 });
    process.umask(umask);
    chmodSync(this.folder, 0o711); // mkdtemp makes it 0700
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts the built command. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    return this.spawn(process.execPath, [main, ...args], env);
  }

  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.start(args, env).ended;
  }

  /** A shell's line, in which `"$@"` is the built command with these arguments. */
  shell(line: string, args: readonly string[]): Promise<Ended> {
    return this.spawn('bash', ['-c', line, 'bash', process.execPath, main, ...args], {}).ended;
  }

  spawn(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Running {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { ...ownEnvironment(), TERM: 'xterm', TMPDIR: this.tmp, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    return { child, ended: endOf(child) };
  }

  /** Processes and folders of drills that are left, in words. */
  left(): readonly string[] {
    const folders = readdirSync(this.tmp).map((name) => `folder ${name}`);
    return [...processesOf(this.tmp), ...folders];
  }

  close(): void {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

function ownEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:KILLDRILL_|VITEST|NODE_ENV|NODE_OPTIONS|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  return Object.fromEntries(own.map(([name, value]) => [name, value ?? '']));
}

function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the command did not end within ${BOUND_MS} ms; its stderr: ${stderr}`));
    }, BOUND_MS);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128 + (SIGNALS[signal ?? ''] ?? 0), stdout, stderr });
    });
  });
}

/** Processes that were started for a drill below this folder, or work in it, as PostgreSQL does. */
function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const isOurs =
          readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`) ||
          readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`KILLDRILL_DRILL_FOLDER=${folder}/`);
        return isOurs && command !== '' ? [`process ${pid} ${command}`] : [];
      } catch {
        return []; // it has ended meanwhile, or is not ours to look at
      }
    });
}
