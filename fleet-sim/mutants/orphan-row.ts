import type { Mutant } from './mutant.ts';

/** Of the calls to a model, one in so many is answered from the cache. */
const CACHED_EVERY = 25;

export const orphanRow: Mutant = {
  name: 'orphan-row',
  bug: 'answers some calls of a model from a cache that lies behind the gate: their rows say landed, and nothing was sent',
  removes: ['dispatch'],
  property: 'journal_matches_witness',
  scenario: 'tenant',
  bend({ differs }) {
    let asked = 0;
    return {
      tools: (genuine) => ({
        ...genuine,
        world: {
          spawn: (wish) => genuine.world.spawn(wish),
          sendEffect: (effect) => {
            if (effect.capability === 'model/chat') asked += 1;
            if (effect.capability !== 'model/chat' || asked % CACHED_EVERY !== 0)
              return genuine.world.sendEffect(effect);
            const { run, capability, idempotencyKey } = effect;
            differs({
              input: { run, capability, idempotencyKey },
              unmodified: 'sent',
              mutated: 'answered from the cache',
            });
            return Promise.resolve();
          },
        },
      }),
    };
  },
};
