import type { Checker, Finding } from './checker.ts';
import { countEffects } from './effects-after.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { actionsOf } from './operator-of.ts';
import { holding, missingQueue } from './queue-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { cameBackAlone } from './came-back-alone.ts';
import { claimAfter, resumedTasks } from './resumed-tasks.ts';
import { tooFast } from './resume-rate.ts';
import { NS_PER_MS } from './span.ts';
import { storeNsOf } from './store-time.ts';
import { taskOfStep } from './task-of-step.ts';
import { taskEvidence, taskName } from './tasks-of.ts';
import type { WitnessedTask } from './tasks-of.ts';
import { needsWholeHistory } from './whole-history.ts';
import { effectAgainst, effectEvidence, effectName } from './witness-of.ts';

/** Going on needs somebody who says so, and no stop that says otherwise. */
export const resumeRespectsHalt: Checker = {
  name: 'resume_respects_halt',
  claim:
    'What was discarded goes on only when an operator resumes it, is held as long as any stop covers it, and comes back no faster than the resume says (within 10 % and 250 ms).',
  needs: 'queue',
  check(record) {
    const index = indexOf(record);
    const broken = needsWholeHistory(record) ?? wentOnAlone(index) ?? ranUnderStop(index) ?? cameBackAlone(index);
    return broken ?? checkResumes(index);
  },
};

/** An effect of a task that was discarded and never came back, long after that; null when there is none. */
function wentOnAlone(index: DrillIndex): Finding | null {
  const suspended = new Set(index.stops.flatMap((stop) => countEffects(index, stop).suspended));
  const resumed = new Set(resumedTasks(index).map(({ task }) => task.id));
  for (const effect of index.effects) {
    const task = index.tasks.get(taskOfStep(index.runs, effect.run, effect.step).id);
    if (task === undefined || resumed.has(task.id) || suspended.has(effect)) continue;
    if (!isLongDiscarded(index, task, effect)) continue;
    const reason = `${effectName(effect)} arrived although ${taskName(task)} had been discarded and nobody resumed it`;
    return fail(reason, { ...effectEvidence(effect), ...taskEvidence(task) });
  }
  return null;
}

/** A worker may learn of it as late as its budget says. */
function isLongDiscarded(index: DrillIndex, { changes }: WitnessedTask, { t0 }: WitnessedEffect): boolean {
  const last = changes.at(-1);
  const arrivedNs = storeNsOf(index, t0);
  const { connectedMs, cutMs } = index.scenario.expect.timeToStop;
  const budgetNs = Math.max(connectedMs, cutMs) * NS_PER_MS;
  return last?.to === 'discarded' && arrivedNs !== null && arrivedNs > last.t0 + budgetNs;
}

function ranUnderStop(index: DrillIndex): Finding | null {
  for (const back of resumedTasks(index)) {
    const { task, change } = back;
    const held = holding(index, task, change);
    if (held !== null && change.to === 'queued') {
      const reason = `${taskName(task)} was resumed under the stop of ${nameOf(held.on)}, and was queued instead of held`;
      return fail(reason, changeEvidence(task, change, held));
    }
    const claim = claimAfter(back);
    const over = claim === null ? null : holding(index, task, claim);
    if (claim === null || over === null) continue;
    const reason = `${taskName(task)} was resumed and claimed under the stop of ${nameOf(over.on)}`;
    return fail(reason, changeEvidence(task, claim, over));
  }
  return arrivedUnderStop(index);
}

function arrivedUnderStop(index: DrillIndex): Finding | null {
  const resumed = new Set(resumedTasks(index).map(({ task }) => task.id));
  const [asked] = actionsOf(index.record.events, 'resume');
  if (asked === undefined || resumed.size === 0) return null;
  for (const stop of index.stops) {
    const sent = countEffects(index, stop).afterBudget.find(
      ({ run, step, t0 }) => t0 > asked.asked.t0 && resumed.has(taskOfStep(index.runs, run, step).id),
    );
    if (sent === undefined) continue;
    const reason = `${effectName(sent)} is of a resumed task and arrived under the stop of ${nameOf(stop.on)}`;
    return fail(reason, effectAgainst(sent, stop));
  }
  return null;
}

function checkResumes(index: DrillIndex): Finding {
  const planned = index.scenario.timeline.some(({ kind }) => kind === 'resume');
  const resumes = actionsOf(index.record.events, 'resume');
  if (!planned && resumes.length === 0) return notApplicable('the scenario resumes nothing');
  const unseen = missingQueue(index);
  if (unseen !== null) return unseen;
  const answered = resumes.filter(({ answered: answer }) => answer?.ok === true);
  if (answered.length === 0)
    return inconclusive('a resume that was taken', resumes[0]?.answered?.error ?? 'none was answered', {
      asked: resumes.length,
    });
  for (const resume of answered) {
    const fast = tooFast(index, resume);
    if (fast !== null) return fast;
  }
  const back = resumedTasks(index);
  const held = back.filter(({ change }) => change.to === 'parked').length;
  const evidence = {
    resumes: answered.length,
    resumed: back.length,
    cameBackHeld: held,
    askedAtMs: answered.map(({ asked }) => sinceT0(index, asked.t0)),
  };
  if (back.length === 0) return inconclusive('a discarded task that was resumed', 'no task came back', evidence);
  return pass(
    `${back.length} tasks were resumed, ${held} of them held by a stop that was still on; none ran under a stop, and none that nobody resumed`,
    evidence,
  );
}
