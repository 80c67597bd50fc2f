import { queuePolicyOf, switchMatches } from '../switch.ts';
import type { MemoryState, StoredEngagement, StoredTask } from './memory-state.ts';
import type { TaskState } from './store.ts';

/**
 * What engagements mean for tasks (DESIGN §3.11): the whole of it. A task is *halted* by any open engagement that stops
 * it, and *doomed* by any that discards and was opened since the task was let in, whether or not that is still open.
 */

export function isDoomed(state: MemoryState, stored: StoredTask): boolean {
  return state.engagements.some(
    (engagement) =>
      queuePolicyOf(engagement) === 'discard' &&
      engagement.openedRevision > stored.admittedRevision &&
      covers(engagement, stored),
  );
}

export function isHalted(state: MemoryState, stored: StoredTask): boolean {
  return state.engagements.some(
    (engagement) =>
      engagement.closedRevision === null && covers(engagement, stored) && stops(engagement, stored, state.nowMs),
  );
}

/** Settles a task that is to wait: `discarded`, `parked` or `queued`. Its state changes once, or not at all. */
export function settleWaiting(state: MemoryState, stored: StoredTask): TaskState {
  if (isDoomed(state, stored)) settle(stored, 'discarded');
  else if (isHalted(state, stored)) park(stored, state.nowMs);
  else if (stored.state === 'parked') unpark(stored, state.nowMs);
  else settle(stored, 'queued');
  return stored.state;
}

/** Ends whatever claim there is. */
export function settle(stored: StoredTask, next: Exclude<TaskState, 'running' | 'parked'>): void {
  stored.state = next;
  stored.claim = null;
  stored.parkedMs = null;
}

function park(stored: StoredTask, nowMs: number): void {
  if (stored.state === 'parked') return;
  settle(stored, 'queued');
  stored.state = 'parked';
  stored.parkedMs = nowMs;
}

/** Nothing holds it any more. What its time means now is its own declaration's to say. */
function unpark(stored: StoredTask, nowMs: number): void {
  const { parkedMs, dueMs, task } = stored;
  const isSkipped = task.pastDue === 'skip' && parkedMs !== null && parkedMs < dueMs && dueMs <= nowMs;
  if (isSkipped && task.repeat === null) {
    settle(stored, 'done');
    stored.endedWhy = 'skipped';
    return;
  }
  settle(stored, 'queued');
  if (isSkipped) stored.skipped = true;
  if (task.pastDue === 'shift' && parkedMs !== null) stored.dueMs += nowMs - parkedMs;
}

/** In scope of its switch, or stopped by it in the midst, which is how a capability's stop gets hold of a run. */
function covers(engagement: StoredEngagement, { task, haltedBy }: StoredTask): boolean {
  return haltedBy === engagement.id || switchMatches(engagement.on, task);
}

/** Of what it covers, an engagement lets critical classes pass in the mildest mode, and what is older than it while it drains. */
function stops(engagement: StoredEngagement, stored: StoredTask, nowMs: number): boolean {
  const { mode, openedRevision, drainUntilMs } = engagement;
  if (mode === 'halt_noncritical' && stored.critical) return false;
  // Who was stopped by it in the midst met something that it lets nobody do: its drain is no way round.
  if (stored.haltedBy === engagement.id) return true;
  const draining = queuePolicyOf(engagement) === 'drain' && drainUntilMs !== null && nowMs < drainUntilMs;
  return !(draining && stored.admittedRevision < openedRevision);
}
