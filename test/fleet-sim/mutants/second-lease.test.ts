import { expect, test } from 'vitest';
import { SecondLease } from '../../../fleet-sim/mutants/second-lease.ts';
import { DEFAULT_LEASE, Lease } from '../../../src/index.ts';
import type { Decider, FlipsAnswer, WorkerStore } from '../../../src/index.ts';
import { ManualClock } from '../../src/manual-clock.ts';

const { leaseMs } = DEFAULT_LEASE;
const head = { epoch: 'e', revision: 0, hash: '' } as const;
const NO_NEWS: FlipsAnswer = { kind: 'flips', flips: [], head, ageMs: 60_000 };
const EXPIRED: Decider = { version: 1, stopFor: () => null, verified: () => false };

/** A question that is answered when the test says so. */
function begin(countsFrom: 'question' | 'answer') {
  const clock = new ManualClock();
  const differences: unknown[] = [];
  const lease = new SecondLease(new Lease(clock), countsFrom, (difference) => differences.push(difference));
  let answer: (given: FlipsAnswer) => void = () => undefined;
  const flipsAfter = (): Promise<FlipsAnswer> => new Promise((resolve) => (answer = resolve));
  const store = lease.wrap({ source: { flipsAfter } } as unknown as WorkerStore);
  return {
    clock,
    differences,
    decider: lease.watch(EXPIRED),
    ask: () => store.source.flipsAfter(head),
    answer: (given: FlipsAnswer) => answer(given),
  };
}

test.each([
  ['question', leaseMs - 500],
  ['answer', leaseMs],
] as const)(
  'a lease that counts from the %s is held for so long after an answer that took 500 ms',
  async (from, heldMs) => {
    const { clock, differences, decider, ask, answer } = begin(from);
    const asked = ask();
    clock.block(500);
    answer(NO_NEWS);
    await asked;
    clock.block(heldMs - 1);
    expect(decider.verified()).toBe(true);
    expect(differences).toMatchObject([{ unmodified: 'unverified', mutated: 'verified' }]);
    clock.block(1);
    expect(decider.verified()).toBe(false);
  },
);

test('an answer that brings flips, or is of another history, proves nothing', async () => {
  const { decider, ask, answer, differences } = begin('answer');
  const record = { epoch: 'e', revision: 1, hash: 'h', text: '{}', signature: null };
  for (const news of [{ ...NO_NEWS, flips: [record] }, { kind: 'diverged', head, ageMs: 60_000 } as const]) {
    const asked = ask();
    answer(news);
    await asked;
    expect(decider.verified()).toBe(false);
  }
  expect(differences).toEqual([]);
});
