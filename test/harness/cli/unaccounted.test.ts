import { describe, expect, test } from 'vitest';
import { effectiveSentences } from '../../../harness/cli/await-effective.ts';
import { unaccountedSentences } from '../../../harness/cli/unaccounted.ts';
import type { StopState } from '../../../src/control/effectiveness.ts';

const CLOSE = '(killdrill ledger --close INCARNATION/SEQ --reason TEXT answers for one)';

function intents(count: number): StopState['unaccounted'] {
  return Array.from({ length: count }, (_, seq) => ({
    ...{ incarnation: 'worker-1', seq, run: 'r', capability: 'write/mail', deadlineMs: 250, isPastDeadline: true },
  }));
}

describe('effects that nobody has seen end', () => {
  test('are named with the command that answers for them, ten of them one by one', () => {
    expect(unaccountedSentences([])).toEqual([]);
    expect(unaccountedSentences(intents(1))).toEqual(['unaccounted: write/mail of run r (worker-1/0)', CLOSE]);
    expect(unaccountedSentences(intents(10))).toHaveLength(11);
    expect(unaccountedSentences(intents(12)).slice(-3)).toEqual([
      'unaccounted: write/mail of run r (worker-1/9)',
      'unaccounted: 2 more',
      CLOSE,
    ]);
  });

  test('are what halt --wait ends with while a stop waits for them', () => {
    const state: StopState = {
      ...{ id: 'stop', revision: 1, state: 'pending', workers: [], missing: ['1 effects in scope'] },
      ...{ unaccounted: intents(1), excepted: 'journal-free reads excepted' },
    };
    expect(effectiveSentences(state, '10s').at(-1)).toBe(CLOSE);
    expect(effectiveSentences({ ...state, state: 'effective' }, '10s')).toHaveLength(1);
  });
});
