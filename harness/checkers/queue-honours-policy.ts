import { unlessBusy } from './busy-machine.ts';
import type { Checker, Finding } from './checker.ts';
import { isFirst, noStop, stopEvidence } from './exposure.ts';
import { failedUnverified } from './failed-unverified.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { probeFinding } from './probes.ts';
import { missingQueue, queueAtStop, waitingAtStop } from './queue-of.ts';
import { queueSnapshots } from './queue-snapshot.ts';
import { unwarrantedChange } from './queue-rules.ts';
import { lostInStop } from './lost-in-stop.ts';
import { ending, leftRunning, notRestored, untreated } from './queue-ends.ts';
import { spentByRefusal } from './spent-attempts.ts';
import { needsWholeHistory } from './whole-history.ts';
import { taskEvidence, taskName } from './tasks-of.ts';

/** Work that waits is stopped as its stop says, and none of it gets lost. */
export const queueHonoursPolicy: Checker = {
  name: 'queue_honours_policy',
  claim:
    'What waits in scope of a stop is discarded, parked or drained as the stop says, is never claimed while it is held, comes back only when nothing holds it; no refusal spends an attempt, and nothing of it is lost, left running, or failed because its worker was unverified.',
  needs: 'queue',
  check(record) {
    const index = indexOf(record);
    const nothing = noStop(index) ?? needsWholeHistory(record) ?? missingQueue(index);
    if (nothing !== null) return nothing;
    const broken = unwarrantedChange(index) ?? spentByRefusal(index) ?? failedUnverified(index) ?? lostInStop(index);
    if (broken !== null) return broken;
    const unfinished = leftRunning(index) ?? notRestored(index);
    const late = unfinished === null ? [] : [unlessBusy(index, [ending(index)], unfinished)];
    return firstWorst([...late, ...index.stops.map((stop) => checkStop(index, stop))]);
  },
};

function checkStop(index: DrillIndex, stop: Stop): Finding {
  const probes = probeFinding(index, stop);
  if (probes?.verdict === 'fail') return probes;
  const waiting = waitingAtStop(index, stop);
  for (const queued of waiting) {
    const left = untreated(index, stop, queued);
    if (left !== null) return left;
  }
  const gone = queueAtStop(index, stop).find(({ task }) => task.row === null);
  if (gone !== undefined) {
    const reason = `${taskName(gone.task)} was ${gone.was.to} at the stop of ${nameOf(stop.on)}, and is not in the queue any more`;
    return fail(reason, { ...stopEvidence(stop), ...taskEvidence(gone.task) });
  }
  if (waiting.length === 0) return nothingWaited(index, stop);
  return probes ?? honoured(index, stop);
}

/** Primed work waits for the first stop only. A stop of a capability covers no task but those that are such a step. */
function nothingWaited(index: DrillIndex, stop: Stop): Finding {
  const scope = nameOf(stop.on);
  if (!isFirst(index, stop)) return notApplicable(`nothing waited in scope of ${scope} at this later stop`);
  if (stop.on.scope === 'capability') return notApplicable(`no queued task is of ${scope}: it stops effects`);
  return inconclusive(
    'a task in scope waiting at the stop',
    `the queue held none in scope of ${scope}`,
    stopEvidence(stop),
  );
}

function honoured(index: DrillIndex, stop: Stop): Finding {
  const snapshots = queueSnapshots(index, stop);
  if (snapshots === null) return inconclusive('the stop on record in the store', `it has no flip ${stop.revision}`);
  const { atStop, atEnd } = snapshots;
  const held = atStop.waiting + atStop.running + atStop.parked;
  const ends = Object.entries(atEnd).filter(([, count]) => count > 0);
  const became = ends.map(([state, count]) => `${count} ${state}`).join(', ');
  const reason = `of ${held} tasks in scope of ${nameOf(stop.on)} that waited or ran at the stop (${stop.queue ?? 'discard'}), none was claimed while it was held; at the end: ${became}`;
  return pass(reason, { ...stopEvidence(stop), atStop, atEnd });
}
