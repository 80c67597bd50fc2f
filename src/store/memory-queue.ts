import { KilldrillError } from '../errors.ts';
import { queuePolicyOf, switchMatches } from '../switch.ts';
import { isDoomed, isHalted, settle, settleWaiting } from './memory-halts.ts';
import { journalKey } from './memory-state.ts';
import type { MemoryState, StoredClaim, StoredTask } from './memory-state.ts';
import type {
  ClaimToken,
  ClaimedTask,
  Due,
  NewTask,
  QueueCount,
  TaskEffect,
  TaskEnd,
  TaskKind,
  TaskState,
} from './store.ts';

/** Most rows that one claim looks at: as many as the questions of a claim of PostgreSQL's look at together. */
const LOOKS = 20_000;

export function enqueueTasks(state: MemoryState, tasks: readonly NewTask[]): void {
  const rows = tasks.map((task) => newRow(state, task)); // all or none
  for (const row of rows) {
    if (state.tasks.has(row.task.id)) continue;
    const stored = { ...row, place: state.tasks.size };
    settleWaiting(state, stored);
    state.tasks.set(row.task.id, stored);
  }
}

/** Settles what may not run and claims what may, longest ready first. */
export function claimTasks(state: MemoryState, limit: number, claimMs: number): readonly ClaimedTask[] {
  const claimed: ClaimedTask[] = [];
  const ready = [...state.tasks.values()]
    .filter((stored) => readyMs(stored) <= state.nowMs)
    .toSorted((one, other) => readyMs(one) - readyMs(other) || one.place - other.place);
  for (const stored of ready.slice(0, LOOKS)) {
    if (claimed.length >= limit) break;
    if (stored.claim !== null && hasOpenIntent(state, stored.claim.token)) settle(stored, 'unknown');
    else if (isDoomed(state, stored) || isHalted(state, stored)) settleWaiting(state, stored);
    else claimed.push(claimOne(state, stored, claimMs));
  }
  return claimed;
}

/** The task if the claim on it is still the caller's. */
export function claimedTask(state: MemoryState, claim: ClaimToken): StoredTask | null {
  const stored = state.tasks.get(claim.task);
  return stored?.state === 'running' && stored.claim?.token === claim.token ? stored : null;
}

export function extendClaims(state: MemoryState, claims: readonly ClaimToken[], claimMs: number): readonly string[] {
  return claims.flatMap((claim) => {
    const stored = claimedTask(state, claim);
    if (stored === null) return [];
    stored.claim = { token: claim.token, deadlineMs: state.nowMs + claimMs, revision: stored.claim?.revision ?? 0 };
    return [claim.task];
  });
}

export function finishTask(state: MemoryState, claim: ClaimToken, end: TaskEnd, againAt: string | undefined): boolean {
  const stored = claimedTask(state, claim);
  if (stored === null) return false;
  if (againAt === undefined || stored.task.repeat === null || end === 'unknown') {
    settle(stored, end);
    return true;
  }
  stored.dueMs = instantMs(againAt);
  stored.attempts = 0;
  stored.skipped = false;
  stored.claimTokens = []; // what this occurrence did, the next one is to do again
  settleWaiting(state, stored);
  return true;
}

/** The run was stopped: whatever becomes of the task, the attempt is not spent. */
export function haltTask(state: MemoryState, claim: ClaimToken, engagementId: string | null): TaskState | null {
  const stored = claimedTask(state, claim);
  if (stored === null) return null;
  stored.attempts -= 1;
  const metId = wasOver(state, engagementId, stored.claim) ? null : engagementId;
  stored.haltedBy = metId ?? stored.haltedBy;
  if (hasOpenIntent(state, claim.token)) settle(stored, 'unknown');
  else if (discards(state, metId)) settle(stored, 'discarded');
  else settleWaiting(state, stored);
  return stored.state;
}

export function retryTask(state: MemoryState, claim: ClaimToken, delayMs: number): TaskState | null {
  const stored = claimedTask(state, claim);
  if (stored === null) return null;
  if (hasOpenIntent(state, claim.token)) {
    settle(stored, 'unknown');
    return stored.state;
  }
  stored.retry = true;
  stored.dueMs = state.nowMs + Math.max(0, delayMs);
  return settleWaiting(state, stored);
}

export function countTasks(state: MemoryState): readonly QueueCount[] {
  const counts = new Map<string, { kind: TaskKind; state: TaskState; retries: number; count: number }>();
  for (const { task, state: now, retry } of state.tasks.values()) {
    const key = `${task.kind} ${now}`;
    const found = counts.get(key) ?? { kind: task.kind, state: now, retries: 0, count: 0 };
    counts.set(key, { ...found, count: found.count + 1, retries: found.retries + (retry ? 1 : 0) });
  }
  return [...counts.values()];
}

function newRow(state: MemoryState, task: NewTask): StoredTask {
  return {
    task,
    place: 0,
    critical: state.critical.classes.some((one) => switchMatches(one, task)),
    admittedRevision: state.head.revision,
    state: 'queued',
    attempts: 0,
    retry: false,
    skipped: false,
    dueMs: dueMs(task.due, state.nowMs),
    parkedMs: null,
    haltedBy: null,
    endedWhy: null,
    claim: null,
    claimTokens: [],
  };
}

function dueMs(due: Due, nowMs: number): number {
  switch (due.kind) {
    case 'now':
      return nowMs;
    case 'in':
      return nowMs + due.ms;
    case 'at':
      return instantMs(due.at);
    default:
      throw new KilldrillError(
        'STORE_VALUE',
        `a due time is none of now, in, at: ${JSON.stringify(due satisfies never)}`,
      );
  }
}

function instantMs(at: string): number {
  const ms = Date.parse(at);
  if (!Number.isNaN(ms)) return ms;
  throw new KilldrillError('STORE_VALUE', `'${at}' is no instant; expected ISO 8601 such as 2026-01-01T00:00:00Z`);
}

/** When a claim has to look at it: when it is due, or when whoever runs it should have ended. */
function readyMs({ state, dueMs: due, claim }: StoredTask): number {
  if (state === 'queued') return due;
  return state === 'running' && claim !== null ? claim.deadlineMs : Number.POSITIVE_INFINITY;
}

function claimOne(state: MemoryState, stored: StoredTask, claimMs: number): ClaimedTask {
  const { claimTokens, attempts, skipped, admittedRevision, critical } = stored;
  const token = state.newId();
  stored.state = 'running';
  stored.claim = { token, deadlineMs: state.nowMs + claimMs, revision: state.head.revision };
  stored.claimTokens = [...claimTokens, token];
  stored.attempts += 1;
  stored.retry = false;
  const { id, kind, run, tenant, feature, agent, lineage, capability, plan, repeat } = stored.task;
  return {
    ...{ id, token, kind, run, tenant, feature, agent, lineage, capability, plan, repeat },
    ...{ dueAt: new Date(stored.dueMs).toISOString(), skipped, attempts, admittedRevision, critical },
    effects: effectsOf(state, claimTokens),
  };
}

/** By key the newest intent under any of these claims. */
function effectsOf(state: MemoryState, claimTokens: readonly string[]): readonly TaskEffect[] {
  const effects = new Map<string, TaskEffect>();
  for (const { incarnation, intent } of state.intents.values()) {
    if (intent.claim === null || !claimTokens.includes(intent.claim.token)) continue;
    const { idempotencyKey: key, capability } = intent;
    const outcome = state.outcomes.get(journalKey(incarnation, intent.seq))?.outcome.kind ?? null;
    effects.set(key, { key, capability, outcome });
  }
  return [...effects.values()];
}

function hasOpenIntent(state: MemoryState, token: string): boolean {
  for (const { incarnation, intent } of state.intents.values()) {
    if (intent.claim?.token === token && !state.outcomes.has(journalKey(incarnation, intent.seq))) return true;
  }
  return false;
}

/** Whether a stop was closed before the claim was made, and so has no hold on what was refused for it under that claim. */
function wasOver(state: MemoryState, engagementId: string | null, claim: StoredClaim | null): boolean {
  const closedRevision = engagementId === null ? null : state.flipsById.get(engagementId)?.engagement?.closedRevision;
  return claim !== null && typeof closedRevision === 'number' && closedRevision <= claim.revision;
}

function discards(state: MemoryState, engagementId: string | null): boolean {
  const engagement = engagementId === null ? null : (state.flipsById.get(engagementId)?.engagement ?? null);
  return engagement !== null && queuePolicyOf(engagement) === 'discard';
}
