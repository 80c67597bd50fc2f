import { describe, inject } from 'vitest';
import { startLocal } from '../../../harness/environment/local.ts';
import { testExecutors, testExecutorsEnd } from './executors-contract.ts';

const { kafka: why } = inject('infrastructure');

describe.skipIf(why !== null)(`an executor under drill, on Kafka${why === null ? '' : ` (${why})`}`, () => {
  const now = testExecutors(startLocal);
  testExecutorsEnd(now);
});
