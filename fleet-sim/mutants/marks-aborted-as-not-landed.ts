import type { Outcome } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';

export const marksAbortedAsNotLanded: Mutant = {
  name: 'marks-aborted-as-not-landed',
  bug: 'takes an abort for an undo: a call that it aborted is recorded as one that was never sent',
  removes: ['outcome'],
  property: 'journal_matches_witness',
  scenario: 'slow-downstream',
  bend({ differs }) {
    const asNotSent = (outcome: Outcome): Outcome => {
      if (outcome.kind !== 'unknown') return outcome;
      differs({ input: outcome.detail, unmodified: 'unknown', mutated: 'blocked' });
      return { ...outcome, kind: 'blocked' };
    };
    return {
      store: (genuine) => ({
        ...genuine,
        outcomes: {
          record: (incarnation, outcomes) => genuine.outcomes.record(incarnation, outcomes.map(asNotSent)),
        },
      }),
    };
  },
};
