import { switchMatches } from '../../src/switch.ts';
import { SPAWN_CAPABILITY } from '../traffic/trace.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { Checker, Finding } from './checker.ts';
import { eachStop } from './each-stop.ts';
import { countEffects } from './effects-after.ts';
import { openAt } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { isOpenAfter } from './engagements-of.ts';
import { isFirst, stopEvidence } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { coversStep } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';
import { engagementOfStop, letsPass } from './queue-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { heldFromNs, isCriticalStep } from './stop-reach.ts';
import { taskOfStep } from './task-of-step.ts';
import { changeBefore, taskName } from './tasks-of.ts';
import { effectAgainst, effectName } from './witness-of.ts';

/** A stopped run has no more offspring, and what it has is stopped with it. */
export const noNewChildren: Checker = {
  name: 'no_new_children',
  claim:
    "No child run is started in scope of a stop later than its worker's budget, none is queued or claimed by the store's order, and none that was there begins.",
  check: (record) => eachStop(record, checkStop),
};

function checkStop(index: DrillIndex, stop: Stop): Finding {
  return newInTheWorld(index, stop) ?? newInTheQueue(index, stop) ?? exposed(index, stop);
}

function newInTheWorld(index: DrillIndex, stop: Stop): Finding | null {
  for (const effect of countEffects(index, stop).afterBudget) {
    if (isSpawn(effect)) {
      const reason = `${effectName(effect)} started a child under the stop of ${nameOf(stop.on)}`;
      return fail(reason, { ...effectAgainst(effect, stop), child: childOf(effect) });
    }
    const { parent } = effect.run;
    if (parent === undefined || hasBegun(index, effect.run, effect.t0)) continue;
    const reason = `child run ${effect.run.run} of ${parent.run} began under the stop of ${nameOf(stop.on)}: ${effectName(effect)} is its first`;
    return fail(reason, { ...effectAgainst(effect, stop), parent: parent.run });
  }
  return null;
}

function isSpawn({ run, step, capability }: WitnessedEffect): boolean {
  return capability === SPAWN_CAPABILITY || (step !== null && run.plan[step]?.kind === 'spawn');
}

function childOf({ run, step }: WitnessedEffect): string | null {
  return step === null ? null : (run.plan[step]?.child ?? null);
}

function hasBegun({ effects }: DrillIndex, run: TraceRun, beforeNs: number): boolean {
  return effects.some((effect) => effect.run.run === run.run && effect.t0 < beforeNs);
}

/** By the store's order, where no clock has a say. A drain admits nothing new either. */
function newInTheQueue(index: DrillIndex, stop: Stop): Finding | null {
  const engagement = engagementOfStop(index, stop);
  if (engagement === null) return null;
  for (const task of index.tasks.values()) {
    if (task.kind !== 'child' || !switchMatches(stop.on, task.subject)) continue;
    if (stop.mode === 'halt_noncritical' && task.critical) continue;
    for (const change of task.changes) {
      if (!isOpenAfter(engagement, change.afterRevision)) continue;
      const queued = change.from === null && change.to === 'queued';
      if (!queued && (change.to !== 'running' || letsPass(engagement, task, change))) continue;
      const reason = `${taskName(task)} was ${queued ? 'queued' : 'claimed'} after revision ${change.afterRevision}, under the stop of ${nameOf(stop.on)}`;
      return fail(reason, { ...stopEvidence(stop), ...changeEvidence(task, change, engagement) });
    }
  }
  return null;
}

function exposed(index: DrillIndex, stop: Stop): Finding {
  const parents = index.due.filter(({ run, atNs }) => atNs <= stop.requestNs && wouldSpawn(index, stop, run)).length;
  const children = index.effects.filter(
    (effect) =>
      effect.run.parent !== undefined && heldFromNs(index, stop, effect) !== null && openAt(effect, stop.requestNs),
  ).length;
  const scope = nameOf(stop.on);
  const evidence = { ...stopEvidence(stop), parents, children };
  if (parents > 0 && children > 0)
    return pass(
      `${parents} runs in scope of ${scope} were about to start a child and ${children} children had a call open at the stop; none was started or began after it`,
      evidence,
    );
  if (!isFirst(index, stop)) return notApplicable(`no run was about to start a child at the later stop of ${scope}`);
  if (stop.on.scope === 'capability') return notApplicable(`starting a child is no effect of ${scope}`);
  if (parents === 0)
    return inconclusive('a parent in scope with a spawn ahead of it at the stop', `${scope} had none`, evidence);
  return inconclusive('a child in scope with a call open at the stop', `${scope} had none`, evidence);
}

/** Whether a run that lived at the stop had a spawn in scope ahead of it. */
function wouldSpawn(index: DrillIndex, stop: Stop, run: TraceRun): boolean {
  const isAhead = run.plan.some(
    ({ kind }, step) =>
      kind === 'spawn' &&
      coversStep(stop.on, run, step) &&
      !(stop.mode === 'halt_noncritical' && isCriticalStep(index, run, step)) &&
      !(index.byStep.get(`${run.run}/${step}`) ?? []).some(({ t0 }) => t0 <= stop.requestNs),
  );
  return isAhead && livedAt(index, stop, run);
}

function livedAt(index: DrillIndex, stop: Stop, run: TraceRun): boolean {
  const task = index.tasks.get(taskOfStep(index.runs, run, null).id);
  const state = task === undefined ? null : (changeBefore(task, stop.revision)?.to ?? null);
  if (state === 'queued' || state === 'running') return true;
  return index.effects.some((effect) => effect.run.run === run.run && openAt(effect, stop.requestNs));
}
