import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { Verdict } from '../../../harness/checkers/checker.ts';
import type { Judgement } from '../../../harness/checkers/verdict-file.ts';
import { compareWithKept } from '../../../harness/regression/compare.ts';
import { keptVerdicts } from '../../../harness/regression/regression-file.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

const clean = judge(recordOf(cleanDrill()));
const kept = keptVerdicts(clean, 'verdict.json');
const NAME = 'no_effect_after_stop';

/** The clean judgement with this verdict on one of its properties. */
function now(verdict: Verdict): Judgement {
  const properties = clean.properties.map((one) => (one.name === NAME ? { ...one, verdict, reason: 'because' } : one));
  return { ...clean, properties };
}

function keptAs(verdict: Verdict): typeof kept {
  return { ...kept, properties: { ...kept.properties, [NAME]: verdict } };
}

describe('compareWithKept', () => {
  it('calls a drill the same that showed what was kept', () => {
    expect(compareWithKept(kept, clean)).toEqual({ answer: 'same', regressed: [], notComparable: [], notes: [] });
  });

  it.each(['pass', 'inconclusive', 'not_applicable', 'error'] as const)(
    'calls a failure a regression of what was %s, with its finding',
    (was) => {
      const { answer, regressed } = compareWithKept(keptAs(was), now('fail'));
      expect(answer).toBe('regressed');
      expect(regressed).toMatchObject([{ was, finding: { name: NAME, verdict: 'fail', reason: 'because' } }]);
    },
  );

  it.each([
    ['inconclusive', 'not_shown'],
    ['error', 'not_shown'],
    ['not_applicable', 'changed'],
  ] as const)('does not compare what passed with what is %s now, and says why', (verdict, kind) => {
    const { answer, notComparable } = compareWithKept(kept, now(verdict));
    expect(answer).toBe('not_comparable');
    expect(notComparable).toMatchObject([{ kind, why: expect.stringMatching(new RegExp(`^${NAME} .*because`)) }]);
  });

  it('tells what has become better, and what fails as it did, and regards both as the same', () => {
    expect(compareWithKept(keptAs('fail'), now('pass'))).toMatchObject({
      answer: 'same',
      notes: [expect.stringMatching(/was fail and passes/)],
    });
    expect(compareWithKept(keptAs('fail'), now('fail'))).toMatchObject({
      answer: 'same',
      notes: [expect.stringMatching(/fails, as it did/)],
    });
  });

  it('does not compare with a property that is gone', () => {
    const properties = clean.properties.filter(({ name }) => name !== NAME);
    const { answer, notComparable } = compareWithKept(kept, { ...clean, properties });
    expect(answer).toBe('not_comparable');
    expect(notComparable).toMatchObject([{ kind: 'changed', why: expect.stringContaining(`${NAME} is gone`) }]);
  });

  it('takes a new property that passes or does not apply as it is, and compares with none that does not pass', () => {
    const { [NAME]: _, ...properties } = kept.properties;
    const before = { ...kept, properties };
    expect(compareWithKept(before, now('pass'))).toMatchObject({
      answer: 'same',
      notes: [expect.stringMatching(/is new and passes/)],
    });
    expect(compareWithKept(before, now('not_applicable'))).toMatchObject({ answer: 'same', notes: [] });
    expect(compareWithKept(before, now('fail'))).toMatchObject({
      answer: 'not_comparable',
      notComparable: [{ kind: 'changed', why: expect.stringMatching(/is new, and it fails: because/) }],
    });
    expect(compareWithKept(before, now('inconclusive'))).toMatchObject({ notComparable: [{ kind: 'not_shown' }] });
  });

  it('names a regression first when other properties cannot be compared', () => {
    const both = { ...now('fail'), expectations: clean.expectations.slice(1) };
    expect(compareWithKept(kept, both)).toMatchObject({ answer: 'regressed', notComparable: [{ kind: 'changed' }] });
  });
});
