import { describe } from 'vitest';
import { startEmbedded } from '../../../harness/environment/embedded.ts';
import { testExecutors, testExecutorsEnd } from './executors-contract.ts';

describe('an executor under drill, with PostgreSQL as its bus', () => {
  const now = testExecutors(startEmbedded);
  testExecutorsEnd(now);
});
