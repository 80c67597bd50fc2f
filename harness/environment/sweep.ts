import { existsSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { sep } from 'node:path';
import { DRILL_FOLDER_VARIABLE, assertDrillFolder } from './drill-folder.ts';
import {
  commandLine,
  environmentVariable,
  hasProc,
  isAlive,
  listProcesses,
  processTree,
  signalProcess,
  workingDirectory,
} from './process-table.ts';
import type { ProcessEntry, ProcessId } from './process-table.ts';
import { removeSharedMemory } from './shared-memory.ts';
import { waitUntil } from './wait.ts';

/** A process of the drill as a report names it. */
export interface SweptProcess {
  readonly pid: number;
  readonly command: string;
}

/** What it took to end a drill. */
export interface SweepReport {
  /** Processes that had not ended by themselves. */
  readonly forced: readonly SweptProcess[];
  /** Processes that are still there. */
  readonly left: readonly SweptProcess[];
  readonly folderRemoved: boolean;
}

export interface SweepOptions {
  readonly folder: string;
  /** Processes that are known to be the drill's; only needed where there is no /proc. */
  readonly watched: readonly ProcessId[];
  /** Never ended, whatever their environment: the guardian and the harness. */
  readonly spared: readonly ProcessId[];
}

const BOUND_MS = 4_500;
/** What PostgreSQL gets to let go of its shared memory before it is killed. */
const POSTGRES_BOUND_MS = 500;

/**
 * Ends every process of a drill and removes its folder, within 5 s.
 *
 * A process is the drill's when it was started with `KILLDRILL_DRILL_FOLDER` set to the folder, or works in it
 * (PostgreSQL writes its titles over its environment), or is watched. Whether it still is, is asked again right before
 * each signal.
 */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  assertDrillFolder(options.folder);
  const forced = new Map<string, SweptProcess>();
  const note = ({ pid, start }: ProcessEntry) => {
    const key = `${pid} ${start}`;
    if (!forced.has(key)) forced.set(key, describe(pid));
  };
  findMembers(options).forEach(note);
  await endPostgres(options);
  let quiet = 0;
  await waitUntil(
    async () => {
      const members = findMembers(options);
      for (const entry of members) {
        note(entry);
        signalMember(entry, 'SIGKILL', options);
      }
      if (members.length === 0) await removeFolder(options.folder);
      quiet = members.length === 0 && !existsSync(options.folder) ? quiet + 1 : 0;
      return quiet >= 2; // what was just being born at the first look is there at the second
    },
    { boundMs: BOUND_MS, everyMs: 20 },
  );
  const left = findMembers(options).map(({ pid }) => describe(pid));
  return { forced: [...forced.values()], left, folderRemoved: !existsSync(options.folder) };
}

function describe(pid: number): SweptProcess {
  return { pid, command: commandLine(pid).slice(0, 200) };
}

/** An immediate shutdown, so that the server's shared memory goes too; a stopped one is woken for it. */
async function endPostgres(options: SweepOptions): Promise<void> {
  const servers = findMembers(options).filter(({ pid }) => runsFrom(options.folder, pid));
  const pids = new Set(servers.map(({ pid }) => pid));
  for (const entry of servers) signalMember(entry, 'SIGCONT', options);
  for (const entry of servers) if (!pids.has(entry.parent)) signalMember(entry, 'SIGQUIT', options);
  await waitUntil(() => !servers.some(isAlive), { boundMs: POSTGRES_BOUND_MS });
}

async function removeFolder(folder: string): Promise<void> {
  await removeSharedMemory(folder);
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    // something was written meanwhile, or a process has just been born in it: the next pass looks again
  }
}

function findMembers(options: SweepOptions): readonly ProcessEntry[] {
  const table = listProcesses();
  if (!hasProc) return processTree(table, options.watched).filter((entry) => !includes(options.spared, entry));
  return table.filter((entry) => isMember(entry, options));
}

function isMember(entry: ProcessEntry, { folder, watched, spared }: SweepOptions): boolean {
  if (entry.zombie || includes(spared, entry)) return false;
  if (includes(watched, entry)) return true;
  return (
    isInside(folder, workingDirectory(entry.pid)) || environmentVariable(entry.pid, DRILL_FOLDER_VARIABLE) === folder
  );
}

function signalMember(entry: ProcessEntry, signal: NodeJS.Signals, options: SweepOptions): void {
  if (!hasProc || isMember(entry, options)) signalProcess(entry, signal);
}

function includes(processes: readonly ProcessId[], { pid, start }: ProcessId): boolean {
  return processes.some((one) => one.pid === pid && one.start === start);
}

function isInside(folder: string, path: string | null): boolean {
  return path !== null && (path === folder || path.startsWith(folder + sep));
}

/** Whether a process runs one of the binaries that were copied into the folder. */
function runsFrom(folder: string, pid: number): boolean {
  try {
    return isInside(folder, readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return false;
  }
}
