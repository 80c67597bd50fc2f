import { systemClock } from '../../src/clock.ts';
import type { DrilledProcess } from './drilled-process.ts';

/** SIGKILL needs no longer, unless the system hangs. */
const KILLED_MS = 2_000;

/** SIGTERM to all, a wait of at most `byeMs`, SIGKILL to the rest; names those that had to be forced. */
export async function endProcesses(all: readonly DrilledProcess[], byeMs: number): Promise<readonly string[]> {
  const processes = all.filter((one) => !one.hasExited);
  for (const one of processes) {
    one.signal('SIGCONT', { expected: true });
    one.signal('SIGTERM', { expected: true });
  }
  const ended = Promise.all(processes.map((one) => one.exited));
  await Promise.race([ended, after(byeMs)]);
  const forced = processes.filter((one) => !one.hasExited);
  for (const one of forced) one.signal('SIGKILL', { expected: true });
  await Promise.race([ended, after(KILLED_MS)]);
  return forced.map(({ name }) => name);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });
}
