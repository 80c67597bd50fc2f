import type { Mutant } from './mutant.ts';
import { queueWith } from './queue-with.ts';

export const failsWhatIsStopped: Mutant = {
  name: 'fails-what-is-stopped',
  bug: 'takes a refusal by a stop for an error like any other and ends the run as failed, so that no release brings it back',
  removes: ['queue'],
  property: 'queue_honours_policy',
  scenario: 'park',
  bend: ({ differs }) => ({
    store: queueWith((tasks) => ({
      halted: async (claim, engagement) => {
        differs({ input: { task: claim.task, engagement }, unmodified: 'halted', mutated: 'failed' });
        return (await tasks.finish(claim, 'failed')) ? 'failed' : null;
      },
    })),
  }),
};
