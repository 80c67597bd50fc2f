import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { waitUntil } from '../../environment/wait.ts';
import type { Fault, FaultGround } from '../fault.ts';

const SEEN_BOUND_MS = 2_000;
const LOOK_MS = 2;

/**
 * A worker's wall clock says so much more, or less, than the machine's. Observed when the worker says that it reads that;
 * a new incarnation of it starts with the same clock. Of the simulated fleet only.
 */
export function setClockOff(worker: string, offsetMs: number): Fault {
  return {
    endsWhatItHits: false,
    async inject(ground, observed) {
      const file = ground.fleet.clockFile(worker);
      // In one step: it is read while it is written.
      writeFileSync(`${file}.new`, String(offsetMs));
      renameSync(`${file}.new`, file);
      if (await reads(worker, offsetMs, ground)) observed();
    },
    async recover(ground) {
      rmSync(ground.fleet.clockFile(worker), { force: true });
      await reads(worker, 0, ground);
    },
  };
}

/** Whether the worker, if it lives, has come to say that its clock is so far off. */
function reads(worker: string, offsetMs: number, { fleet, signal }: FaultGround): Promise<boolean> {
  const says = (): boolean =>
    fleet.processes().some((one) => one.worker === worker && !one.hasExited && one.clockOffsetMs === offsetMs);
  return waitUntil(says, { boundMs: SEEN_BOUND_MS, everyMs: LOOK_MS, signal });
}
