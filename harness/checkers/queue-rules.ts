import { switchMatches } from '../../src/switch.ts';
import type { Finding } from './checker.ts';
import { isOpenAfter } from './engagements-of.ts';
import type { StoreEngagement } from './engagements-of.ts';
import { fail } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { actionsOf } from './operator-of.ts';
import { holding, mayHalt } from './queue-of.ts';
import { taskEvidence, taskName } from './tasks-of.ts';
import type { TaskChange, WitnessedTask } from './tasks-of.ts';

/** The first change of any task that no flip and no operator warrants, by the store's own order; null when there is none. */
export function unwarrantedChange(index: DrillIndex): Finding | null {
  const isResumed = actionsOf(index.record.events, 'resume').some(({ answered }) => answered?.ok === true);
  for (const task of index.tasks.values()) {
    for (const [nth, change] of task.changes.entries()) {
      const before = task.changes[nth - 1] ?? null;
      const found =
        claimedWhileHeld(index, task, change) ??
        letGoWhileHeld(index, task, change) ??
        stoppedWithoutStop(index, task, change, before) ??
        cameBack(task, change, { isResumed, before });
      if (found !== null) return found;
    }
  }
  return null;
}

function claimedWhileHeld(index: DrillIndex, task: WitnessedTask, change: TaskChange): Finding | null {
  if (change.to !== 'running') return null;
  const held = holding(index, task, change);
  if (held !== null) {
    const reason = `${taskName(task)} was claimed after revision ${change.afterRevision}, under the stop of ${nameOf(held.on)}`;
    return fail(reason, changeEvidence(task, change, held));
  }
  const doom = dooming(index, change, (engagement) => switchMatches(engagement.on, task.subject));
  if (doom === null) return null;
  const reason = `${taskName(task)} was claimed, though the stop of ${nameOf(doom.on)} at revision ${doom.revision} had discarded it`;
  return fail(reason, changeEvidence(task, change, doom));
}

function letGoWhileHeld(index: DrillIndex, task: WitnessedTask, change: TaskChange): Finding | null {
  if (change.to !== 'queued' || (change.from !== 'parked' && change.from !== 'discarded')) return null;
  const held = holding(index, task, change);
  if (held === null) return null;
  const reason = `${taskName(task)} was ${change.from} and came back after revision ${change.afterRevision}, under the stop of ${nameOf(held.on)}`;
  return fail(reason, changeEvidence(task, change, held));
}

function stoppedWithoutStop(
  index: DrillIndex,
  task: WitnessedTask,
  change: TaskChange,
  before: TaskChange | null,
): Finding | null {
  const at = `after revision ${change.afterRevision}`;
  if (change.to === 'parked') {
    const doom = dooming(index, change, (engagement) => switchMatches(engagement.on, task.subject));
    if (doom !== null) {
      const reason = `${taskName(task)} was parked ${at}, though the stop of ${nameOf(doom.on)} at revision ${doom.revision} discards it`;
      return fail(reason, changeEvidence(task, change, doom));
    }
    const isHeld = index.engagements.some(
      (engagement) => isOpenAfter(engagement, change.afterRevision) && mayHalt(index, engagement, task),
    );
    return isHeld
      ? null
      : fail(`${taskName(task)} was parked ${at}, and no open stop covers it`, changeEvidence(task, change, null));
  }
  if (change.to !== 'discarded') return null;
  if (dooming(index, change, (engagement) => mayHalt(index, engagement, task)) !== null) return null;
  if (change.from === 'running' && haltedByDiscard(index, task, change, before)) return null;
  const reason = `${taskName(task)} was discarded ${at}, and no stop since its admission at revision ${change.admittedRevision} discards it`;
  return fail(reason, changeEvidence(task, change, null));
}

/**
 * A run that meets a stop of one of its capabilities is discarded with it, also when it was let in under that stop, and when
 * the release came between the refusal and its word in the store. Met it was within the claim: the stop was open in some of it.
 */
function haltedByDiscard(
  index: DrillIndex,
  task: WitnessedTask,
  { afterRevision }: TaskChange,
  claimed: TaskChange | null,
): boolean {
  const claimedRevision = claimed?.afterRevision ?? afterRevision;
  return index.engagements.some(
    (engagement) =>
      engagement.queue === 'discard' &&
      engagement.revision <= afterRevision &&
      engagement.closedRevision > claimedRevision &&
      mayHalt(index, engagement, task),
  );
}

/** What has ended stays so, and what was discarded comes back by `resume` only, under a new stamp. */
function cameBack(
  task: WitnessedTask,
  change: TaskChange,
  { isResumed, before }: { readonly isResumed: boolean; readonly before: TaskChange | null },
): Finding | null {
  const { from, to } = change;
  if (from === 'done' || from === 'failed')
    return fail(`${taskName(task)} was ${from} and became ${to} again`, changeEvidence(task, change, null));
  if ((from !== 'discarded' && from !== 'unknown') || to === from) return null;
  // A claim that is over is settled as unknown, and an operator may still discard what is unknown.
  if (from === 'unknown' && to === 'discarded') return null;
  if (!isResumed)
    return fail(
      `${taskName(task)} was ${from} and became ${to}, and nobody resumed it`,
      changeEvidence(task, change, null),
    );
  if (before === null || change.admittedRevision >= before.admittedRevision) return null;
  return fail(`${taskName(task)} was resumed under an older stamp than it had`, changeEvidence(task, change, null));
}

/** The discard engagement since a task's stamp, open or closed, that dooms it at a change; null when none does. */
function dooming(
  { engagements }: DrillIndex,
  { admittedRevision, afterRevision }: TaskChange,
  covers: (engagement: StoreEngagement) => boolean,
): StoreEngagement | null {
  const doom = engagements.find(
    (engagement) =>
      engagement.queue === 'discard' &&
      engagement.revision > admittedRevision &&
      engagement.revision <= afterRevision &&
      covers(engagement),
  );
  return doom ?? null;
}

export function changeEvidence(
  task: WitnessedTask,
  { from, to, afterRevision, admittedRevision }: TaskChange,
  engagement: StoreEngagement | null,
): Finding['evidence'] {
  const under = engagement === null ? {} : { revision: engagement.revision, scope: nameOf(engagement.on) };
  return { ...taskEvidence(task), from, to, afterRevision, admittedRevision, ...under };
}
