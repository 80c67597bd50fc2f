import { unlessBusy } from './busy-machine.ts';
import type { Checker, Finding } from './checker.ts';
import { inconclusive, notApplicable, pass } from './finding.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { ending } from './queue-ends.ts';
import { missingQueue } from './queue-of.ts';
import { neverEnded } from './returned-ends.ts';
import { beyondPlan, sentTwice, skipped } from './returned-effects.ts';
import { resumedTasks, unparkedTasks } from './resumed-tasks.ts';
import { endState } from './tasks-of.ts';
import type { WitnessedTask } from './tasks-of.ts';
import { needsWholeHistory } from './whole-history.ts';

/** What comes back is done, all of it, and once. */
export const resumeCompletesExactlyOnce: Checker = {
  name: 'resume_completes_exactly_once',
  claim:
    'Each run that is resumed or un-parked ends, and each of its planned effects lands once: none is sent again that landed, or of which nobody knows unless it is declared idempotent, under whatever key, and none is left out.',
  needs: 'journal',
  check(record) {
    const index = indexOf(record);
    return needsWholeHistory(record) ?? checkReturned(index);
  },
};

function checkReturned(index: DrillIndex): Finding {
  const resumed = resumedTasks(index);
  const returned = [...resumed, ...unparkedTasks(index)];
  const tasks = [...new Map(returned.map(({ task }) => [task.id, task])).values()];
  for (const task of tasks) {
    const broken = sentTwice(index, task) ?? beyondPlan(index, task) ?? skipped(index, task);
    if (broken !== null) return broken;
  }
  for (const task of tasks) {
    const unfinished = neverEnded(index, task);
    if (unfinished !== null) return unlessBusy(index, [ending(index)], unfinished);
  }
  return exposed(index, tasks, resumed.length);
}

function exposed(index: DrillIndex, tasks: readonly WitnessedTask[], resumed: number): Finding {
  const ended = tasks.filter((task) => endState(task) === 'done' || endState(task) === 'failed').length;
  const evidence = { returned: tasks.length, resumed, ended };
  if (ended > 0)
    return pass(
      `of ${tasks.length} tasks that came back ${ended} had the time to end, each with its effects once`,
      evidence,
    );
  if (tasks.length === 0 && !isAskedFor(index)) return notApplicable('the scenario brings nothing back');
  const unseen = missingQueue(index);
  if (unseen !== null) return unseen;
  const why = tasks.length === 0 ? 'no task came back' : `of ${tasks.length} that came back none was due so early`;
  return inconclusive('a resumed or un-parked task with the time to end', why, evidence);
}

/** A resume asks for it, and so does a stop that parks what waits and is released. */
function isAskedFor({ scenario, stops }: DrillIndex): boolean {
  const resumes = scenario.timeline.some(({ kind }) => kind === 'resume');
  return resumes || stops.some(({ queue, releaseNs }) => queue === 'park' && releaseNs !== null);
}
