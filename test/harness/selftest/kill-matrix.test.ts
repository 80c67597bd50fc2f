import { expect, test } from 'vitest';
import type { Judgement } from '../../../harness/checkers/verdict-file.ts';
import type { DrillRecord } from '../../../harness/drill/drill.ts';
import type { EventBody } from '../../../harness/history/event.ts';
import { judgeSubject } from '../../../harness/selftest/kill-matrix.ts';
import type { Subject } from '../../../harness/selftest/subject.ts';

const SUBJECT: Subject = {
  ...{ kind: 'mutant', name: 'sticks', bug: 'x', removes: [], property: 'queue_honours_policy', scenario: 'park' },
  ...{ grants: [], sql: 'select 1' },
};
const judgement = {
  verdict: 'fail',
  properties: [{ name: 'queue_honours_policy', verdict: 'fail', reason: 'a probe ran' }],
  expectations: [],
} as unknown as Judgement;

function recordOf(...bodies: readonly EventBody[]): DrillRecord {
  const events = bodies.map((body, nth) => ({ v: 1, seq: nth + 1, clock: 'mono', t0: 0, t1: 0, ...body }));
  return { events } as unknown as DrillRecord;
}
const proof = (name: string): EventBody => ({ type: 'store.mutant', name, input: 1, unmodified: 2, mutated: 3 });

test('a bug in the store is killed when it proved itself active there', () => {
  expect(judgeSubject(SUBJECT, judgement, recordOf(proof('sticks')))).toMatchObject({
    sound: true,
    witness: 'a probe ran',
  });
});

test('a bug in an executor is killed when that executor proved itself active', () => {
  const said = { event: 'mutant', name: 'sticks' };
  const word: EventBody = { type: 'executor.said', executor: 'executor-1', said };
  expect(judgeSubject(SUBJECT, judgement, recordOf(word)).sound).toBe(true);
  const other: EventBody = { ...word, said: { ...said, event: 'bye' } };
  expect(judgeSubject(SUBJECT, judgement, recordOf(other)).sound).toBe(false);
});

test.each([
  ['nobody spoke', recordOf()],
  ['another bug spoke', recordOf(proof('forgets'))],
])('it survives when %s', (_, record) => {
  const { sound, why } = judgeSubject(SUBJECT, judgement, record);
  expect([sound, why]).toEqual([false, expect.stringContaining('never reported')]);
});

test('a clean fleet whose witness was to lag has passed only if it did', () => {
  const control: Subject = {
    ...{ kind: 'control', name: 'clean-lagging', scenario: 'tenant', stalls: { everyMs: 100, forMs: 40 } },
  };
  const passed = { ...judgement, verdict: 'pass', properties: [] } as Judgement;
  const { sound, why } = judgeSubject(control, passed, recordOf());
  expect([sound, why]).toEqual([false, expect.stringContaining('never did')]);
  expect(judgeSubject(control, passed, recordOf({ type: 'loop.lag', lagMs: 36 })).sound).toBe(true);
});
