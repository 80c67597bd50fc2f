import type { Mutant } from './mutant.ts';
import { queueWith } from './queue-with.ts';

export const refusalsBurnRetries: Mutant = {
  name: 'refusals-burn-retries',
  bug: 'takes a refusal by a stop for a failed attempt: the run is to be tried again, and has one attempt less',
  removes: ['queue'],
  property: 'queue_honours_policy',
  scenario: 'park',
  bend: ({ differs }) => ({
    store: queueWith((tasks) => ({
      halted: (claim, engagement) => {
        differs({ input: { task: claim.task, engagement }, unmodified: 'halted', mutated: 'retry' });
        return tasks.retry(claim, 0);
      },
    })),
  }),
};
