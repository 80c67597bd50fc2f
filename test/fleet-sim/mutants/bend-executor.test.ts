import { describe, expect, it } from 'vitest';
import { bendExecutorBy } from '../../../fleet-sim/mutants/bend.ts';
import type { ExecutorParts } from '../../../src/index.ts';

const context = { executor: 'executor-1', namespace: 'ns', stopsUrl: 'postgres://flipper@127.0.0.1:1/db' };
const parts = { policy: {} } as unknown as ExecutorParts;
const silent = (): void => undefined;

describe("an executor's parts", () => {
  it('are the genuine ones for no mutant, and for a mutant of workers', () => {
    expect(bendExecutorBy(null, context, silent)(parts)).toBe(parts);
    expect(bendExecutorBy('never-subscribes', context, silent)(parts)).toBe(parts);
  });

  it('are nobody’s for a mutant that there is not', () => {
    const unknown = expect.objectContaining({ code: 'MUTANT_UNKNOWN' });
    expect(() => bendExecutorBy('no-such', context, silent)).toThrow(unknown);
  });
});
