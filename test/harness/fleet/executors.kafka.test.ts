import { describe, expect, inject, it } from 'vitest';
import { startLocal } from '../../../harness/environment/local.ts';
import { faultOn, receiptsOf, testExecutors, testExecutorsEnd, testFaultsOnExecutors } from './executors-contract.ts';
import { WAIT } from './executors-stage.ts';

const { kafka: why } = inject('infrastructure');

describe.skipIf(why !== null)(`an executor under drill, on Kafka${why === null ? '' : ` (${why})`}`, () => {
  const now = testExecutors(startLocal);
  testFaultsOnExecutors(now);

  it.each(['kill', 'pause', 'restart'] as const)(
    'reads on after a %s of the broker, which has all its receipts',
    async (kind) => {
      const { faults, raise, durable } = now();
      await faults.inject(faultOn('kafka', kind));
      await faults.undoAll();
      const receipts = ['fault.selected', 'fault.observed', 'fault.injected', 'fault.recovered'];
      expect(receiptsOf(now())).toEqual(receipts);
      await expect.poll(() => raise(`after ${kind} of kafka`).then(() => true), WAIT).toBe(true);
      await expect.poll(durable, WAIT).toContain(`after ${kind} of kafka`);
    },
    120_000,
  );

  testExecutorsEnd(now);
});
