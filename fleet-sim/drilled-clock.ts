import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../src/index.ts';

/**
 * Names a file with the milliseconds that a drill's clock fault adds to this worker's wall clock. A seam of the simulated
 * fleet alone: no part of the fleet contract, unset unless the scenario has such a fault.
 */
export const CLOCK_VARIABLE = 'KILLDRILL_SIM_CLOCK';

const LOOK_MS = 20;

/**
 * The clock whose wall time is off by what the file says, from the moment at which that is seen; by nothing without the
 * file. Its monotonic time is the genuine one, as on a machine whose clock somebody sets.
 *
 * @param moved told of every change, and once at the start if there is one already
 */
export function drilledClock(genuine: Clock, file: string, moved: (offsetMs: number) => void): Clock {
  let offsetMs = 0;
  const look = (): void => {
    const found = offsetIn(file);
    if (found !== offsetMs) {
      offsetMs = found;
      moved(found);
    }
    genuine.after(LOOK_MS, look);
  };
  look();
  return {
    monotonicMs: () => genuine.monotonicMs(),
    wallMs: () => genuine.wallMs() + offsetMs,
    after: (delayMs, callback) => genuine.after(delayMs, callback),
  };
}

function offsetIn(file: string): number {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return 0;
  try {
    const ms = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(ms) ? ms : 0;
  } catch {
    return 0; // it has just been taken away
  }
}
