import type { TraceRun } from '../traffic/trace.ts';
import { isCriticalCapability, isCriticalTask } from './critical-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import type { Stop } from './flips-of.ts';
import { covers } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS } from './span.ts';
import { taskOfStep } from './task-of-step.ts';
import { changeBefore } from './tasks-of.ts';

/**
 * From when on a stop forbids an effect, nanoseconds: its request, or the end of its drain for work that had been let in
 * before. Null when it does not forbid it at all: out of scope, or critical under `halt_noncritical`.
 */
export function heldFromNs(index: DrillIndex, stop: Stop, effect: WitnessedEffect): number | null {
  if (!covers(stop.on, effect) || passesNoncritical(index, stop, effect)) return null;
  if (stop.drainMs === null || !admittedBefore(index, stop, taskOfStep(index.runs, effect.run, effect.step).id))
    return stop.requestNs;
  return drainEndNs(index, stop, effect.channel);
}

/** A process drains from the moment at which it learnt of the stop, which for one that came up later is its start. */
function drainEndNs(index: DrillIndex, { durableNs, drainMs }: Stop, channel: number): number {
  const readyNs = index.incarnations.get(channel)?.readyNs ?? 0;
  return Math.max(durableNs, readyNs) + (drainMs ?? 0) * NS_PER_MS;
}

function passesNoncritical(index: DrillIndex, stop: Stop, { run, step, capability }: WitnessedEffect): boolean {
  if (stop.mode !== 'halt_noncritical') return false;
  return isCriticalCapability(index.scenario.fleet.critical, capability) || isCriticalStep(index, run, step);
}

/** Whether a step is taken by a task of a critical class. */
export function isCriticalStep(index: DrillIndex, run: TraceRun, step: number | null): boolean {
  return isCriticalTask(index.scenario.fleet.critical, taskOfStep(index.runs, run, step).subject);
}

/** Whether a task had been let in before a stop, by the store's order. */
export function admittedBefore(index: DrillIndex, { revision }: { readonly revision: number }, id: string): boolean {
  const task = index.tasks.get(id);
  if (task === undefined) return false;
  if (task.changes.length > 0) return changeBefore(task, revision) !== null;
  return task.row !== null && task.row.admittedRevision < revision;
}
