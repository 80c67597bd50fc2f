import { settleWaiting } from './memory-halts.ts';
import type { MemoryState, StoredEngagement, StoredSweep, StoredTask } from './memory-state.ts';
import type { SweepAnswer } from './store.ts';

/** Writes down what a flip leaves to be done, in the flip itself. A stop that drains leaves two: one now, one when the drain is over. */
export function plantSweeps(state: MemoryState, revision: number, opened: StoredEngagement | null): void {
  const plant = (kind: StoredSweep['kind'], notBeforeMs: number): void => {
    state.sweeps.push({ revision, kind, notBeforeMs, cursor: 0, swept: 0, done: false });
  };
  plant(opened === null ? 'release' : 'stop', state.nowMs);
  if (opened !== null && opened.drainUntilMs !== null) plant('drain', opened.drainUntilMs);
}

/**
 * Settles at most `limit` waiting tasks of the oldest sweep that may run. Each is settled by the engagements as they are
 * now, whatever its flip was: so a sweep may come late, twice, or in pieces by several processes.
 */
export function sweepTasks(state: MemoryState, limit: number): SweepAnswer {
  const sweep = openSweeps(state)[0];
  if (sweep === undefined) return { swept: 0, more: false };
  const waiting = [...state.tasks.values()].filter((stored) => isWaiting(stored) && stored.place >= sweep.cursor);
  const batch = waiting.slice(0, limit);
  const swept = batch.filter((stored) => stored.state !== settleWaiting(state, stored)).length;
  sweep.swept += swept;
  const last = batch.at(-1);
  if (last !== undefined) sweep.cursor = last.place + 1;
  sweep.done = batch.length === waiting.length;
  return { swept, more: openSweeps(state).length > 0 };
}

/** Finishes every sweep that may run. */
export function finishSweeps(state: MemoryState): void {
  while (sweepTasks(state, Number.MAX_SAFE_INTEGER).more);
}

function openSweeps(state: MemoryState): readonly StoredSweep[] {
  return state.sweeps.filter(({ done, notBeforeMs }) => !done && notBeforeMs <= state.nowMs);
}

function isWaiting({ state }: StoredTask): boolean {
  return state === 'queued' || state === 'parked';
}
