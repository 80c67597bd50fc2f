import { switchMatches } from '../../src/switch.ts';
import type { Subject } from '../../src/switch.ts';
import type { Finding } from './checker.ts';
import { isOpenAfter } from './engagements-of.ts';
import type { StoreEngagement } from './engagements-of.ts';
import { inconclusive } from './finding.ts';
import type { Stop } from './flips-of.ts';
import { subjectOf } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS } from './span.ts';
import { withAttached } from './task-of-step.ts';
import { changeBefore } from './tasks-of.ts';
import type { TaskChange, WitnessedTask } from './tasks-of.ts';
import { journalWasRead } from './witness-of.ts';

/** The store begins a drain when it commits the stop, which may have waited for its lock since the instant on record. */
const DRAIN_SLACK_NS = 500 * NS_PER_MS;

/** What keeps every property of the queue from being decided; null when the queue was witnessed. */
export function missingQueue(index: DrillIndex): Finding | null {
  if (!journalWasRead(index)) return inconclusive('the journal read at the end', "the record has no store's head");
  for (const { changes } of index.tasks.values()) if (changes.length > 0) return null;
  return inconclusive('changes of the queue witnessed', 'no task was seen to change (not instrumented)');
}

/** A stop's engagement by the store's record; null when the store does not have it. */
export function engagementOfStop(index: DrillIndex, stop: Stop): StoreEngagement | null {
  return index.engagements.find(({ id }) => id === stop.id) ?? null;
}

/** When a drain is over by the store's clock; null for what does not drain. */
export function drainOverNs({ atNs, drainMs }: StoreEngagement): number | null {
  return drainMs === null ? null : atNs + drainMs * NS_PER_MS + DRAIN_SLACK_NS;
}

/** Whether an engagement lets a task of this stamp pass at an instant of the store's clock, though its switch covers it. */
export function letsPass(
  engagement: StoreEngagement,
  task: WitnessedTask,
  { admittedRevision, t0 }: { readonly admittedRevision: number; readonly t0: number },
): boolean {
  if (engagement.mode === 'halt_noncritical') return task.critical;
  const overNs = drainOverNs(engagement);
  return overNs !== null && admittedRevision < engagement.revision && t0 <= overNs;
}

/** The engagement, open at a change by the store's order, that stops a task as a whole; null when none does. */
export function holding(index: DrillIndex, task: WitnessedTask, change: TaskChange): StoreEngagement | null {
  const held = index.engagements.find(
    (engagement) =>
      isOpenAfter(engagement, change.afterRevision) &&
      switchMatches(engagement.on, task.subject) &&
      !letsPass(engagement, task, change),
  );
  return held ?? null;
}

/**
 * Whether an engagement may have stopped a task at all: it covers it, or something that is done under its claim. A run that
 * met a stop of one of its capabilities is halted by it although the stop does not cover the run as a whole.
 */
export function mayHalt(index: DrillIndex, engagement: StoreEngagement, task: WitnessedTask): boolean {
  if (engagement.mode === 'halt_noncritical' && task.critical) return false;
  if (switchMatches(engagement.on, task.subject)) return true;
  return subjectsOf(index, task).some((subject) => switchMatches(engagement.on, subject));
}

function subjectsOf(index: DrillIndex, { run, step }: WitnessedTask): readonly Subject[] {
  if (run === null || step !== null) return [];
  return withAttached(index.runs, run).flatMap((one) => one.plan.map(({ capability }) => subjectOf(one, capability)));
}

/** A task in scope of a stop with the change that gave it the state which it had at the stop. */
export interface QueuedAtStop {
  readonly task: WitnessedTask;
  readonly was: TaskChange;
}

const OVER = new Set(['done', 'failed', 'unknown']);

/** Every task that a stop's switch covers and that had not ended when it came, by the store's order. */
export function queueAtStop(index: DrillIndex, stop: Stop): readonly QueuedAtStop[] {
  const queue: QueuedAtStop[] = [];
  for (const task of index.tasks.values()) {
    const was = switchMatches(stop.on, task.subject) ? changeBefore(task, stop.revision) : null;
    if (was !== null && !OVER.has(was.to)) queue.push({ task, was });
  }
  return queue;
}

/** Of these, what waited and is stopped: neither critical where that passes, nor passed by a drain that goes on. */
export function waitingAtStop(index: DrillIndex, stop: Stop): readonly QueuedAtStop[] {
  return queueAtStop(index, stop).filter(
    ({ task, was }) => was.to === 'queued' && !(stop.mode === 'halt_noncritical' && task.critical),
  );
}
