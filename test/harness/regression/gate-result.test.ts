import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { Judgement } from '../../../harness/checkers/verdict-file.ts';
import { EXIT_CODES } from '../../../harness/checkers/verdict-file.ts';
import { compareWithKept } from '../../../harness/regression/compare.ts';
import { exitOfAttempt, resultOf, wantsAnother } from '../../../harness/regression/gate-result.ts';
import type { Attempt } from '../../../harness/regression/gate-result.ts';
import { keptVerdicts } from '../../../harness/regression/regression-file.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

const clean = judge(recordOf(cleanDrill()));
const subject = { name: 'tenant', folder: 'kept/tenant', kept: 'pass' } as const;

function attempt(verdict: Judgement['verdict'], keptVerdict: Judgement = clean): Attempt {
  const [first, ...others] = clean.properties;
  if (first === undefined) throw new Error('no property');
  const judgement = {
    ...clean,
    verdict,
    exitCode: EXIT_CODES[verdict],
    properties: [{ ...first, verdict }, ...others],
  };
  const comparison = compareWithKept(keptVerdicts(keptVerdict, 'verdict.json'), judgement);
  return { kind: 'judged', seconds: 1, bundleFolder: 'reports/x', judgement, comparison, cells: [] };
}

const pass = attempt('pass');
const fail = attempt('fail');
const open = attempt('inconclusive');
const broken: Attempt = { kind: 'broken', seconds: 1, why: 'the fleet did not start' };

describe('a result of one or two drills', () => {
  it.each([
    ['pass', [pass], 0, 'same', false],
    ['a failure that stays', [fail, fail], 1, 'regressed', false],
    ['a failure that goes, and is not turned green', [fail, pass], 1, 'regressed', true],
    ['something not shown that the second drill shows', [open, pass], 0, 'same', false],
    ['something not shown twice', [open, open], 2, 'not_comparable', false],
    ['something not shown, and then a failure', [open, fail], 1, 'regressed', false],
    ['a drill that broke, and then passed', [broken, pass], 4, 'not_comparable', true],
    ['a drill that broke, and then failed', [broken, fail], 1, 'regressed', false],
  ] as const)('%s', (_, attempts, exitCode, answer, flaky) => {
    expect(resultOf(subject, attempts)).toMatchObject({ name: 'tenant', exitCode, answer, flaky, attempts });
  });

  it('says what regressed, and why a drill broke', () => {
    expect(resultOf(subject, [fail, pass]).why).toEqual([
      expect.stringMatching(/^no_effect_after_stop was pass and fails/),
    ]);
    expect(resultOf(subject, [broken, broken]).why).toEqual([expect.stringContaining('the fleet did not start')]);
  });

  it('never passes a drill that fails as it did when it was kept', () => {
    const asKept = attempt('fail', (fail.kind === 'judged' && fail.judgement) || clean);
    expect(asKept).toMatchObject({ comparison: { answer: 'same' } });
    expect(exitOfAttempt(asKept)).toBe(1);
  });

  it('is drilled again after a failure, a break and what was not shown, and not for what another drill cannot change', () => {
    expect([pass, fail, open, broken].map(wantsAnother)).toEqual([false, true, true, true]);
    const properties = clean.properties.slice(1);
    const gone = compareWithKept(keptVerdicts(clean, 'verdict.json'), { ...clean, properties });
    expect(wantsAnother({ ...(pass as Extract<Attempt, { kind: 'judged' }>), comparison: gone })).toBe(false);
  });
});
