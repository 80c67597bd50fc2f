import type { CanaryTurns } from './canary-port.ts';
import type { MemoryState } from './memory-state.ts';

/** The turns of a memory store. */
export function memoryCanaryTurns(state: MemoryState): CanaryTurns {
  return {
    take: async ({ token, by, termMs, everyMs }) => {
      const { nowMs, canaryTurn: last } = state;
      if (last !== null && last.untilMs > nowMs) return { kind: 'taken', by: last.by, forMs: last.untilMs - nowMs };
      const dueMs = (last?.beganMs ?? Number.NEGATIVE_INFINITY) + everyMs;
      if (dueMs > nowMs) return { kind: 'early', inMs: dueMs - nowMs };
      state.canaryTurn = { token, by, beganMs: nowMs, untilMs: nowMs + termMs };
      return { kind: 'mine' };
    },
    end: async (token) => {
      const { nowMs, canaryTurn: last } = state;
      if (last?.token === token) state.canaryTurn = { ...last, untilMs: Math.min(last.untilMs, nowMs) };
    },
  };
}
