import { AsyncLocalStorage } from 'node:async_hooks';
import type { Effect, EffectCall } from '../../src/index.ts';
import { gateWith } from './gate-with.ts';
import type { Mutant } from './mutant.ts';

/** A task under way, and whether the gate was asked for it. */
interface TaskTurn {
  asked: boolean;
}

export const checkedAtTaskStartOnly: Mutant = {
  name: 'checked-at-task-start-only',
  bug: 'asks the gate for the first effect of a task, and makes all later calls of the task without it',
  removes: ['gate after the first effect', 'fence', 'abort'],
  property: 'no_effect_after_stop',
  scenario: 'tenant',
  bend({ runtime, differs }) {
    const turns = new AsyncLocalStorage<TaskTurn>();
    const callDirectly = <T>(effect: Effect, call: EffectCall<T>): Promise<T> => {
      const { capability, idempotencyKey, deadlineMs } = effect;
      const refused = runtime().gate.bind(capability).refusal();
      if (refused !== null) differs({ input: effect, unmodified: refused.message, mutated: 'sent' });
      const { signal } = new AbortController();
      return call({ signal, idempotencyKey, notAfterMs: performance.now() + deadlineMs, recheck: () => undefined });
    };
    return {
      tools: (genuine) => ({
        ...genuine,
        gate: gateWith(genuine.gate, {
          enterTask: (task, body) => turns.run({ asked: false }, () => genuine.gate.enterTask(task, body)),
          run: (effect, call) => {
            const turn = turns.getStore();
            if (turn === undefined || turn.asked) return callDirectly(effect, call);
            turn.asked = true;
            return genuine.gate.run(effect, call);
          },
        }),
      }),
    };
  },
};
