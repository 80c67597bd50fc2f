import { hasEnd } from './effects-of.ts';
import { isOpenAfter } from './engagements-of.ts';
import type { StoreEngagement } from './engagements-of.ts';
import { tasksWithCause } from './failed-unverified.ts';
import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { letsPass, mayHalt } from './queue-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { plannedEffects } from './returned-effects.ts';
import { taskOfStep } from './task-of-step.ts';
import { taskName } from './tasks-of.ts';
import type { TaskChange, WitnessedTask } from './tasks-of.ts';

/**
 * A task that was being worked on when a stop of it came, and that ended under it as failed although its downstream had
 * refused nothing, or as done although a call of its plan never left: its work is lost, which no policy says. Null when
 * there is none.
 */
export function lostInStop(index: DrillIndex): Finding | null {
  const excused = tasksWithCause(index);
  for (const task of index.tasks.values()) {
    for (const [nth, change] of task.changes.entries()) {
      const claim = task.changes[nth - 1];
      if (claim?.to !== 'running' || (change.to !== 'failed' && change.to !== 'done')) continue;
      const stop = stopAcross(index, task, { claim, change });
      if (stop === null) continue;
      const how =
        change.to === 'done' ? neverSent(index, task) : isExcused(index, task, stop, excused) ? null : NOTHING_REFUSED;
      if (how === null) continue;
      const reason = `${taskName(task)} was being worked on at the stop of ${nameOf(stop.on)} and ended under it as ${change.to}, though ${how}`;
      return fail(reason, changeEvidence(task, change, stop));
    }
  }
  return null;
}

const NOTHING_REFUSED = 'its downstream refused nothing';

/** By the store's order: opened since the claim, and open at its end. */
function stopAcross(
  index: DrillIndex,
  task: WitnessedTask,
  { claim, change }: { readonly claim: TaskChange; readonly change: TaskChange },
): StoreEngagement | null {
  const stop = index.engagements.find(
    (engagement) =>
      engagement.revision > claim.afterRevision &&
      isOpenAfter(engagement, change.afterRevision) &&
      mayHalt(index, engagement, task) &&
      !letsPass(engagement, task, change),
  );
  return stop ?? null;
}

/** A call that its worker gave up before the stop, by its deadline, may have failed the run as well. */
function isExcused(
  { effects, runs, stops }: DrillIndex,
  task: WitnessedTask,
  { id }: StoreEngagement,
  excused: ReadonlySet<string>,
): boolean {
  const requestNs = stops.find((stop) => stop.id === id)?.requestNs ?? Number.POSITIVE_INFINITY;
  if (excused.has(task.id)) return true;
  return effects.some(
    ({ run, step, ends: [end] }) =>
      end?.kind === 'closed_by_worker' && end.t1 < requestNs && taskOfStep(runs, run, step).id === task.id,
  );
}

/**
 * A journaled call of its own plan that never landed and of which nobody says that it may have. Nobody keeps account of the
 * others, and an attached child may never have been started.
 */
function neverSent(index: DrillIndex, task: WitnessedTask): string | null {
  const left = plannedEffects(index, task).find(
    ({ run, journal, arrivals, intents }) =>
      journal &&
      run === task.run &&
      !arrivals.some((effect) => hasEnd(effect, 'landed') || hasEnd(effect, 'replayed')) &&
      intents.every(({ outcome }) => outcome !== 'unknown' && outcome !== null),
  );
  return left === undefined ? null : `step ${left.step} of run ${left.run.run} never landed`;
}
