import type { Mutant } from './mutant.ts';

/** Longer than any budget for a worker that is cut off. */
const KEEPS_MS = 3_500;

export const keepsWhatItHolds: Mutant = {
  name: 'keeps-what-it-holds',
  bug: 'an executor that the store does not answer keeps the stop to itself for seconds, in the hope of an answer, before anybody else of its process may relay it',
  removes: ['relay'],
  property: 'each_path_alone_suffices',
  scenario: 'relay-alone',
  bend: () => ({}),
  bendExecutor:
    ({ differs }) =>
    (genuine) => {
      const { registry, clock } = genuine;
      return {
        ...genuine,
        registry: {
          get head() {
            return registry.head;
          },
          arrive: (stop) => registry.arrive({ ...stop, offered: 'elsewhere' }),
          relayed: (id, answer) => registry.relayed(id, answer),
          withdraw: (id) => registry.withdraw(id),
          offer: (id) => {
            differs({ input: id, unmodified: 'relayed', mutated: `kept for ${KEEPS_MS} ms` });
            clock.after(KEEPS_MS, () => registry.offer(id));
          },
        },
      };
    },
};
