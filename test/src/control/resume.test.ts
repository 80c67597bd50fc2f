import { describe, expect, it } from 'vitest';
import { resume } from '../../../src/control/resume.ts';
import type { ResumeRequest } from '../../../src/control/resume.ts';
import type { OperatorStore } from '../../../src/store/store.ts';

const ANSWER = { tasks: 1, runs: ['a'], lastDueInMs: 0, parked: 0 };
const BY = { by: 'op', reason: 'mended' };

/** What the store is asked for; a request that is refused never comes so far. */
async function asked(request: Omit<ResumeRequest, 'by' | 'reason'>): Promise<unknown> {
  let found: unknown = null;
  const store: Pick<OperatorStore, 'resume'> = {
    resume: async (which, staging, asker) => {
      found = { which, staging, asker };
      return ANSWER;
    },
  };
  expect(await resume(store as OperatorStore, { ...request, ...BY })).toEqual(ANSWER);
  return found;
}

describe('a resume', () => {
  it('names runs, each once, or a tenant, or everything', async () => {
    const staging = { kind: 'at-once' };
    expect(await asked({ runs: ['a', 'b', 'a'] })).toEqual({
      ...{ which: { kind: 'runs', runs: ['a', 'b'] }, staging, asker: BY },
    });
    expect(await asked({ tenant: 'acme' })).toMatchObject({ which: { kind: 'tenant', tenant: 'acme' } });
    expect(await asked({ allDiscarded: true, runs: [] })).toMatchObject({ which: { kind: 'all' } });
  });

  it('is staged by rate or by tenant', async () => {
    expect(await asked({ tenant: 'acme', tasksPerSecond: 5 })).toMatchObject({
      ...{ staging: { kind: 'rate', tasksPerSecond: 5 } },
    });
    expect(await asked({ allDiscarded: true, tenantsEveryMs: 50 })).toMatchObject({
      ...{ staging: { kind: 'tenants', everyMs: 50 } },
    });
  });

  it.each([{}, { runs: [] }, { allDiscarded: false }])('that names nothing is refused: %j', async (request) => {
    await expect(asked(request)).rejects.toMatchObject({ code: 'RESUME_INVALID', message: /names nothing/ });
  });

  it.each([
    { runs: ['a'], tenant: 'acme' },
    { runs: ['a'], allDiscarded: true },
    { tenant: '', allDiscarded: true },
  ])('that names two things is refused: %j', async (request) => {
    await expect(asked(request)).rejects.toThrow(/more than one/);
  });

  it('that is staged in two ways is refused', async () => {
    await expect(asked({ allDiscarded: true, tasksPerSecond: 1, tenantsEveryMs: 1 })).rejects.toThrow(/drop one/);
  });
});
