import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../harness/checkers/checker.ts';
import { judge } from '../../../harness/checkers/judge.ts';
import type { Judgement } from '../../../harness/checkers/verdict-file.ts';
import type { KeptVerdicts } from '../../../harness/regression/regression-file.ts';
import { verdictChanges } from '../../../harness/regression/verdict-changes.ts';
import { renderVerdictChanges } from '../../../harness/report/verdict-changes.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

const is: Judgement = judge(recordOf(cleanDrill()));
const byName = (findings: Judgement['properties']): Record<string, Verdict> =>
  Object.fromEntries(findings.map(({ name, verdict }) => [name, verdict]));
const stored = (): KeptVerdicts => ({
  verdict: is.verdict,
  properties: byName(is.properties),
  expectations: byName(is.expectations),
});
const versions = { was: '0.0.9', is: '0.1.0' };
const shown = (was: KeptVerdicts): string =>
  renderVerdictChanges(verdictChanges(was, is, versions), 80)
    .join('\n')
    .replaceAll(/[\s│]+/g, ' ');

describe('verdictChanges', () => {
  it('says that a verdict is the same in every property, and by which versions', () => {
    expect(verdictChanges(stored(), is, versions)).toEqual({ kind: 'same', killdrill: versions, changes: [] });
    expect(shown(stored())).toBe(
      "the same as the run's own verdict, in every property (killdrill 0.0.9 then, 0.1.0 now)",
    );
  });

  it('names what changed, what is new and what is gone, the drill as a whole first', () => {
    const { no_effect_after_stop: _, ...properties } = stored().properties;
    const was: KeptVerdicts = {
      verdict: 'fail',
      properties: { ...properties, no_intent_after_stop: 'fail', nothing_burns: 'pass' },
      expectations: stored().expectations,
    };
    const { kind, changes } = { changes: [], ...verdictChanges(was, is, versions) };
    expect(kind).toBe('changed');
    expect(changes).toMatchObject([
      { name: 'verdict', was: 'fail', is: is.verdict },
      { name: 'no_intent_after_stop', was: 'fail', is: 'pass', reason: expect.stringMatching(/./) as string },
      { name: 'no_effect_after_stop', was: null, is: 'pass' },
      { name: 'nothing_burns', was: 'pass', is: null, reason: null },
    ]);
    expect(shown(was)).toContain('fail pass no_intent_after_stop');
    expect(shown(was)).toContain('not judged pass no_effect_after_stop');
    expect(shown(was)).toContain('pass not judged nothing_burns');
  });

  it('takes an expectation that changed as a change', () => {
    const was = { ...stored(), expectations: { ...stored().expectations, went_as_planned: 'fail' as const } };
    expect(verdictChanges(was, is, versions)).toMatchObject({
      kind: 'changed',
      changes: [{ name: 'went_as_planned', was: 'fail', is: 'pass' }],
    });
  });
});
