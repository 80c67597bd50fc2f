import type { FenceAnswer, Head } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';

export const failsOpenOnStoreLoss: Mutant = {
  name: 'fails-open-on-store-loss',
  bug: 'goes on while the store is away: an expired lease refuses nothing, and an intent that nobody answered counts as admitted',
  removes: ['lease', 'fence'],
  property: 'fails_closed',
  scenario: 'store-lost',
  bend({ differs }) {
    const openly = async (head: Head, asked: Promise<FenceAnswer>): Promise<FenceAnswer> => {
      try {
        const answer = await asked;
        if (answer.kind !== 'young') return answer;
      } catch {
        // What the unmodified worker takes for a refusal.
      }
      differs({ input: 'a batch that the store did not answer', unmodified: 'refused', mutated: 'admitted' });
      return { kind: 'admitted', head, ageMs: 0, disowned: [] };
    };
    return {
      decider: (genuine) => ({
        get version() {
          return genuine.version;
        },
        stopFor: (subject) => genuine.stopFor(subject),
        verified: () => {
          if (!genuine.verified())
            differs({ input: 'an expired lease', unmodified: 'unverified', mutated: 'verified' });
          return true;
        },
      }),
      store: (genuine) => ({
        ...genuine,
        fence: {
          admitIntents: (incarnation, head, intents) =>
            openly(head, genuine.fence.admitIntents(incarnation, head, intents)),
          enqueue: (head, tasks) => openly(head, genuine.fence.enqueue(head, tasks)),
        },
      }),
    };
  },
};
