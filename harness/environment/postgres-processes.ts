import { KilldrillError } from '../../src/errors.ts';
import { isAlive, listProcesses, processTree, signalProcess, workingDirectory } from './process-table.ts';
import type { ProcessEntry, ProcessId } from './process-table.ts';
import { waitUntil } from './wait.ts';

const BOUND_MS = 5_000;

/** The processes of a running server. */
export interface ServerProcesses {
  readonly postmaster: ProcessId;
  readonly dataFolder: string;
}

/**
 * The postmaster, its children and, where /proc tells, whatever else works in the data directory: a backend that has
 * outlived its postmaster is nobody's child any more.
 */
function find({ postmaster, dataFolder }: ServerProcesses): readonly ProcessEntry[] {
  const table = listProcesses();
  const tree = new Set(processTree(table, [postmaster]));
  return table.filter((entry) => !entry.zombie && (tree.has(entry) || workingDirectory(entry.pid) === dataFolder));
}

/**
 * Ends the server with SIGKILL and waits until every process of it is gone.
 *
 * @throws KilldrillError `POSTGRES_NOT_KILLED` when one is still there after 5 s.
 */
export async function killServer(server: ServerProcesses): Promise<void> {
  // a stopped postmaster starts no more backends; each pass also catches those that came before it had stopped
  for (const entry of find(server)) if (rank(entry, server) === 0) signalProcess(entry, 'SIGSTOP');
  const gone = await waitUntil(
    () => {
      const left = find(server);
      for (const entry of left) signalProcess(entry, 'SIGKILL');
      return !left.some(isAlive);
    },
    { boundMs: BOUND_MS },
  );
  if (!gone) throw notDone('POSTGRES_NOT_KILLED', 'killed', find(server));
}

/**
 * Stops every process of the server with SIGSTOP, postmaster first: a stopped postmaster's sessions answer on.
 *
 * @throws KilldrillError `POSTGRES_NOT_PAUSED` when one still runs after 5 s.
 */
export async function pauseServer(server: ServerProcesses): Promise<void> {
  const running = () => find(server).filter(({ stopped }) => !stopped);
  const done = await waitUntil(
    () => {
      const left = [...running()].sort((one, other) => rank(one, server) - rank(other, server));
      for (const entry of left) signalProcess(entry, 'SIGSTOP');
      return left.length === 0;
    },
    { boundMs: BOUND_MS, everyMs: 2 },
  );
  if (!done) throw notDone('POSTGRES_NOT_PAUSED', 'stopped', running());
}

/** Lets a stopped server go on, postmaster last. */
export async function resumeServer(server: ServerProcesses): Promise<void> {
  const stopped = () => find(server).filter((entry) => entry.stopped);
  const done = await waitUntil(
    () => {
      const left = [...stopped()].sort((one, other) => rank(other, server) - rank(one, server));
      for (const entry of left) signalProcess(entry, 'SIGCONT');
      return left.length === 0;
    },
    { boundMs: BOUND_MS, everyMs: 2 },
  );
  if (!done) throw notDone('POSTGRES_NOT_RESUMED', 'resumed', stopped());
}

function rank({ pid }: ProcessEntry, { postmaster }: ServerProcesses): number {
  return pid === postmaster.pid ? 0 : 1;
}

function notDone(code: string, what: string, left: readonly ProcessEntry[]): KilldrillError {
  const pids = left.map(({ pid }) => pid).join(', ');
  return new KilldrillError(
    code,
    `PostgreSQL's processes ${pids} could not be ${what} within ${BOUND_MS} ms; end them by hand`,
  );
}
