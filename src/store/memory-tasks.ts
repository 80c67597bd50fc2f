import { switchMatches } from '../switch.ts';
import type { Subject } from '../switch.ts';
import { journalKey } from './memory-state.ts';
import type { MemoryState, StoredEngagement, StoredTask } from './memory-state.ts';
import type { ClaimToken, ClaimedTask, NewTask, TaskEnd } from './store.ts';

export function enqueueTasks(state: MemoryState, tasks: readonly NewTask[]): void {
  for (const task of tasks) {
    if (state.tasks.has(task.id)) continue;
    const place = state.tasks.size;
    state.tasks.set(task.id, {
      task,
      place,
      admittedRevision: state.head.revision,
      state: 'queued',
      attempts: 0,
      claim: null,
    });
  }
}

/** Settles what may not run and claims what may, oldest first. */
export function claimTasks(state: MemoryState, limit: number, claimMs: number): readonly ClaimedTask[] {
  const nowMs = state.clock.monotonicMs();
  const claimed: ClaimedTask[] = [];
  for (const stored of [...state.tasks.values()].toSorted((one, other) => one.place - other.place)) {
    if (claimed.length >= limit) break;
    if (!isReady(stored, nowMs)) continue;
    const next = decideTask(state, stored);
    if (next !== 'running') settle(stored, next);
    else claimed.push(claimOne(state, stored, nowMs + claimMs));
  }
  return claimed;
}

/** The task if the claim on it is still the caller's. */
export function claimedTask(state: MemoryState, claim: ClaimToken): StoredTask | null {
  const stored = state.tasks.get(claim.task);
  return stored?.state === 'running' && stored.claim?.token === claim.token ? stored : null;
}

export function endTask(stored: StoredTask, end: TaskEnd): void {
  settle(stored, end);
}

export function giveBackTask(stored: StoredTask): void {
  settle(stored, 'queued');
  stored.attempts -= 1;
}

function isReady({ state, claim }: StoredTask, nowMs: number): boolean {
  return state === 'queued' || (state === 'running' && claim !== null && claim.deadlineMs <= nowMs);
}

function decideTask(state: MemoryState, stored: StoredTask): 'unknown' | 'discarded' | 'queued' | 'running' {
  if (stored.claim !== null && hasOpenIntent(state, stored.claim.token)) return 'unknown';
  const covering = state.flips.filter(({ engagement }) => engagement !== null && covers(engagement, stored.task));
  if (
    covering.some(
      ({ engagement, record }) => engagement?.queue === 'discard' && record.revision > stored.admittedRevision,
    )
  )
    return 'discarded';
  return covering.some(({ engagement }) => engagement?.closedRevision === null) ? 'queued' : 'running';
}

function settle(stored: StoredTask, next: Exclude<StoredTask['state'], 'running'>): void {
  stored.state = next;
  stored.claim = null;
}

function claimOne(state: MemoryState, stored: StoredTask, deadlineMs: number): ClaimedTask {
  const token = state.newId();
  const attempts = stored.attempts;
  stored.state = 'running';
  stored.claim = { token, deadlineMs };
  stored.attempts += 1;
  const { id, run, tenant, feature, agent, lineage, plan } = stored.task;
  return { id, token, run, tenant, feature, agent, lineage, plan, attempts };
}

function covers(engagement: StoredEngagement, task: NewTask): boolean {
  const { tenant, feature, agent, run, lineage } = task;
  const subject: Subject = { tenant, feature, agent, run, lineage, capability: null };
  return switchMatches(engagement.on, subject);
}

function hasOpenIntent(state: MemoryState, token: string): boolean {
  for (const { incarnation, intent } of state.intents.values()) {
    if (intent.claim?.token === token && !state.outcomes.has(journalKey(incarnation, intent.seq))) return true;
  }
  return false;
}
