import type { JudgeState } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';

export const failsOpenOnATornFile: Mutant = {
  name: 'fails-open-on-a-torn-file',
  bug: 'goes on with what it knew of a state file that it cannot read any more',
  removes: ['state file'],
  property: 'fails_closed',
  scenario: 'torn-file',
  bend({ differs }) {
    const openly =
      (genuine: JudgeState): JudgeState =>
      (...look) => {
        const judgement = genuine(...look);
        if (judgement.refusal?.code !== 'torn') return judgement;
        differs({ input: 'a torn state file', unmodified: 'unverified', mutated: 'verified' });
        return { ...judgement, refusal: null };
      };
    return {
      stateFile: (genuine) => ({ ...genuine, judge: (judge) => openly(genuine.judge?.(judge) ?? judge) }),
    };
  },
};
