import { EffectFailedError, HaltedError } from '../../src/index.ts';
import { gateWith } from './gate-with.ts';
import type { Mutant } from './mutant.ts';

export const unverifiedDiscardsTheQueue: Mutant = {
  name: 'unverified-discards-the-queue',
  bug: 'takes not knowing for a stop: once its lease is lost it ends the tasks that it holds as failed, instead of waiting or giving them back',
  removes: ['the difference between unverified and stopped'],
  property: 'queue_honours_policy',
  scenario: 'store-lost',
  bend({ differs }) {
    const orFailed = async <T>(asked: Promise<T>): Promise<T> => {
      try {
        return await asked;
      } catch (error) {
        if (!(error instanceof HaltedError) || error.kind === 'operator') throw error;
        differs({
          input: error.message,
          unmodified: 'the task waits, or is given back',
          mutated: 'the task has failed',
        });
        throw new EffectFailedError('the store is away', { cause: error });
      }
    };
    return {
      tools: (genuine) => ({
        ...genuine,
        gate: gateWith(genuine.gate, { run: (effect, call) => orFailed(genuine.gate.run(effect, call)) }),
        intake: { enqueue: (task) => orFailed(genuine.intake.enqueue(task)) },
      }),
    };
  },
};
