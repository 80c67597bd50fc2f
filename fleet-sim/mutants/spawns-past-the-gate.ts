import { HaltedError } from '../../src/index.ts';
import type { Effect, EffectCall } from '../../src/index.ts';
import type { AgentTools } from '../agent-tools.ts';
import { gateWith } from './gate-with.ts';
import type { Mutant } from './mutant.ts';

const SPAWN = 'agent/spawn';
/** How long its agents try a tool that refuses. */
const TRIES_MS = 700;

export const spawnsPastTheGate: Mutant = {
  name: 'spawns-past-the-gate',
  bug: 'starts children without asking the gate, by agents that take a refusal for a broken tool and go on to the next step',
  removes: ['gate', 'latch', 'journal'],
  property: 'no_new_children',
  scenario: 'tenant',
  bend({ differs }) {
    return {
      tools: (genuine) => {
        const { gate, clock } = genuine;
        const run = async <T>(effect: Effect, call: EffectCall<T>): Promise<T> => {
          if (effect.capability !== SPAWN) return shrugOff(() => gate.run(effect, call), clock);
          const refusal = gate.bind(SPAWN).refusal();
          if (refusal !== null) {
            differs({ input: effect.idempotencyKey, unmodified: refusal.message, mutated: 'a child is started' });
          }
          return call({
            signal: new AbortController().signal,
            idempotencyKey: effect.idempotencyKey,
            notAfterMs: clock.monotonicMs() + effect.deadlineMs,
            recheck: () => undefined,
          });
        };
        return { ...genuine, gate: gateWith(gate, { run }) };
      },
    };
  },
};

/** What a framework does that feeds the error back to its model: after some tries the plan goes on. */
async function shrugOff<T>(ask: () => Promise<T>, clock: AgentTools['clock']): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HaltedError) || error.kind !== 'operator') throw error;
    await new Promise<void>((resolve) => clock.after(TRIES_MS, resolve));
    return undefined as T;
  }
}
