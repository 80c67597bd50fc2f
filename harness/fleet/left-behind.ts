import { DRILL_FOLDER_VARIABLE } from '../environment/drill-folder.ts';
import {
  commandLine,
  environmentVariable,
  hasProc,
  listProcesses,
  signalProcess,
} from '../environment/process-table.ts';
import { waitUntil } from '../environment/wait.ts';

/** A process that outlived the worker that had started it. */
export interface LeftBehind {
  readonly worker: string;
  readonly pid: number;
  readonly command: string;
}

const BOUND_MS = 2_000;
const SHOWN = 200;

/**
 * Kills what the workers of one drill have left behind, and names it: daemons and other sessions too, since a process
 * keeps the environment that it was started with. Where there is no /proc the guardian does what it can, at the end.
 */
export async function endLeftBehind(environment: Readonly<Record<string, string>>): Promise<readonly LeftBehind[]> {
  const folder = environment[DRILL_FOLDER_VARIABLE];
  const namespace = environment['KILLDRILL_NAMESPACE'];
  if (!hasProc || folder === undefined || namespace === undefined) return [];
  const ended = new Map<string, LeftBehind>();
  await waitUntil(
    () => {
      const left = listProcesses().flatMap((entry) => {
        if (entry.zombie || environmentVariable(entry.pid, DRILL_FOLDER_VARIABLE) !== folder) return [];
        const worker = environmentVariable(entry.pid, 'KILLDRILL_WORKER');
        const isOurs = environmentVariable(entry.pid, 'KILLDRILL_NAMESPACE') === namespace;
        return worker === null || !isOurs ? [] : [{ worker, entry }];
      });
      for (const { worker, entry } of left) {
        const { pid, start } = entry;
        const key = `${pid} ${start}`;
        if (!ended.has(key)) ended.set(key, { worker, pid, command: commandLine(pid).slice(0, SHOWN) });
        signalProcess(entry, 'SIGKILL');
      }
      return left.length === 0;
    },
    { boundMs: BOUND_MS, everyMs: 10 },
  );
  return [...ended.values()];
}
