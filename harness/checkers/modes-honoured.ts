import type { Checker, Finding } from './checker.ts';
import { eachStop } from './each-stop.ts';
import { checkEmergency } from './emergency-mode.ts';
import { notApplicable } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { checkNoncritical } from './noncritical-mode.ts';

/** A mode does what it says, no less and no more. */
export const modesHonoured: Checker = {
  name: 'modes_honoured',
  claim:
    'Under halt_noncritical what the operator declared critical goes on, the rest stops, and its queued work is parked and never discarded; in an emergency every worker says so, with a snapshot, within 5 s.',
  needs: 'record',
  check: (record) => eachStop(record, checkStop),
};

function checkStop(index: DrillIndex, stop: Stop): Finding {
  if (stop.mode === 'halt_noncritical') return checkNoncritical(index, stop);
  if (stop.mode === 'emergency') return checkEmergency(index, stop);
  return notApplicable(
    `the stop of ${nameOf(stop.on)} is a plain halt_all, which no_effect_after_stop and queue_honours_policy judge`,
  );
}
