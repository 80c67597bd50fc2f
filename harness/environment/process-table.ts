import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Names one process for ever; a pid alone may be reused. */
export interface ProcessId {
  readonly pid: number;
  /** When it started, in the platform's own notation; only ever compared for equality. */
  readonly start: string;
}

/** One process as it was when it was looked at. */
export interface ProcessEntry extends ProcessId {
  readonly parent: number;
  readonly stopped: boolean;
  /** Dead, but not yet reaped by its parent: it holds nothing any more. */
  readonly zombie: boolean;
}

/** Whether this platform tells about processes in /proc (Linux). */
export const hasProc = existsSync('/proc/self/stat');

/** Every process of the machine that can be seen. */
export function listProcesses(): readonly ProcessEntry[] {
  if (!hasProc) return parsePs(runPs(['-axo', PS_COLUMNS]));
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readStat(Number(pid))).filter((entry) => entry !== null);
}

/** One process, or null when there is none of this pid. */
export function lookUpProcess(pid: number): ProcessEntry | null {
  if (hasProc) return readStat(pid);
  return parsePs(runPs(['-o', PS_COLUMNS, '-p', String(pid)]))[0] ?? null;
}

/** Whether this very process is still there and not a zombie. */
export function isAlive(process: ProcessId): boolean {
  const now = lookUpProcess(process.pid);
  return now !== null && now.start === process.start && !now.zombie;
}

/** Sends a signal to this very process; false when it is gone or not ours to signal. */
export function signalProcess(target: ProcessId, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch {
    return false; // gone since, or another user's
  }
}

/** Those of `roots` that are still there and everything that descends from them, zombies left out. */
export function processTree(table: readonly ProcessEntry[], roots: readonly ProcessId[]): readonly ProcessEntry[] {
  const isRoot = (entry: ProcessEntry) => roots.some(({ pid, start }) => entry.pid === pid && entry.start === start);
  const members = new Set(table.filter(isRoot).map(({ pid }) => pid));
  for (let grown = true; grown;) {
    grown = false;
    for (const { pid, parent } of table) {
      if (!members.has(parent) || members.has(pid)) continue;
      members.add(pid);
      grown = true;
    }
  }
  return table.filter(({ pid, zombie }) => members.has(pid) && !zombie);
}

/** The working directory of a process; null when it is not to be seen (gone, another user's, no /proc). */
export function workingDirectory(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '');
  } catch {
    return null;
  }
}

/** A variable of the environment that a process was started with; null when unset or not to be seen. */
export function environmentVariable(pid: number, name: string): string | null {
  let environment: string;
  try {
    environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return null;
  }
  const found = environment.split('\0').find((entry) => entry.startsWith(`${name}=`));
  return found === undefined ? null : found.slice(name.length + 1);
}

/** What a process calls itself, for a report; empty when it is not to be seen. */
export function commandLine(pid: number): string {
  if (!hasProc) return runPs(['-o', 'command=', '-p', String(pid)]).trim();
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function readStat(pid: number): ProcessEntry | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // proc(5): the command stands in parentheses and may hold anything; state is field 3, ppid 4, starttime 22
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent = ''] = fields;
  const start = fields[19];
  if (start === undefined) return null;
  return { pid, parent: Number(parent), start, stopped: state === 'T', zombie: state === 'Z' || state === 'X' };
}

const PS_COLUMNS = 'pid=,ppid=,stat=,lstart=';

function runPs(args: readonly string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', timeout: 5_000, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return ''; // ps exits 1 when there is no such process
  }
}

function parsePs(output: string): readonly ProcessEntry[] {
  return output.split('\n').flatMap((line) => {
    const read = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    if (read === null) return [];
    const [, pid = '', parent = '', state = '', start = ''] = read;
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        start,
        stopped: state.startsWith('T'),
        zombie: state.startsWith('Z'),
      },
    ];
  });
}
