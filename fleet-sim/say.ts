import { writeSync } from 'node:fs';
import type { ContractEvent } from '../src/index.ts';
import type { ExecutorEvent } from './executor-event.ts';

/** What the simulated fleet says beyond the contract: its wall clock is off by so much. */
interface ClockEvent {
  readonly event: 'clock';
  readonly offsetMs: number;
}

/** Says one line on stdout, at once: a process that is killed next has still said it. */
export function say(event: ContractEvent | ClockEvent | ExecutorEvent): void {
  const line = `${JSON.stringify(event)}\n`;
  try {
    writeSync(1, line);
  } catch {
    // Nobody listens any more, or the pipe is full; a worker does not die of that.
  }
}

/** Logs go to stderr. */
export function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
