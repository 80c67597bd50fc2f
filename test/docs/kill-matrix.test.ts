import { describe, expect, it } from 'vitest';
import { complaintsAbout } from '../../docs/kill-matrix.ts';
import { killMatrixPage } from '../../harness/report/kill-matrix-page.ts';
import { linesAsTheyMustBe } from '../../harness/selftest/matrix-line.ts';
import type { MatrixLine } from '../../harness/selftest/matrix-line.ts';
import type { Subject } from '../../harness/selftest/subject.ts';

const DEAF: Subject = {
  ...{ kind: 'mutant', name: 'deaf', bug: 'hears nothing', removes: [], property: 'stops', scenario: 'tenant' },
  ...{ grants: [], sql: null },
};
const CLEAN: Subject = { kind: 'control', name: 'clean', scenario: 'tenant' };
const SUBJECTS = [CLEAN, DEAF];
const PROPERTIES = ['stops'];

function written(change: (line: MatrixLine) => MatrixLine = (line) => line): string {
  const seen = linesAsTheyMustBe(SUBJECTS).map((line) => ({ ...line, witness: 'effect 7 came late' }));
  return killMatrixPage(seen.map(change), PROPERTIES, null);
}

describe('the check of the committed kill matrix', () => {
  it('has nothing to say when the matrix shows all that the code has, as it must be', () => {
    expect(complaintsAbout(written(), SUBJECTS, PROPERTIES)).toEqual([]);
  });

  it.each<[string, readonly Subject[]]>([
    ['a new mutant', [...SUBJECTS, { ...DEAF, name: 'late' }]],
    ['a mutant that is gone', [CLEAN, { ...DEAF, name: 'late' }]],
    ['another bug', [CLEAN, { ...DEAF, bug: 'is slow' }]],
    ['another scenario', [CLEAN, { ...DEAF, scenario: 'park' }]],
    ['a new control', [CLEAN, { ...CLEAN, name: 'clean-paused' }, DEAF]],
  ])('finds it out of date after %s, and says where', (_, subjects) => {
    expect(complaintsAbout(written(), subjects, PROPERTIES)).toEqual([
      expect.stringMatching(/out of date, line \d+ is .*selftest --matrix/),
    ]);
  });

  it('finds a survivor, a control that did not pass, a missing witness and a missing page', () => {
    const survived = written((line) => (line.kind === 'mutant' ? { ...line, sound: false } : line));
    const guilty = written((line) => (line.kind === 'control' ? { ...line, sound: false } : line));
    const unseen = written((line) => ({ ...line, witness: null }));
    expect(complaintsAbout(survived, SUBJECTS, PROPERTIES)).toEqual([expect.stringContaining('0 of 1 killed')]);
    expect(complaintsAbout(guilty, SUBJECTS, PROPERTIES)).toEqual([expect.stringContaining('0 of 1 passed')]);
    expect(complaintsAbout(unseen, SUBJECTS, PROPERTIES)).toEqual([expect.stringContaining('no run has killed')]);
    expect(complaintsAbout(null, SUBJECTS, PROPERTIES)).toEqual([expect.stringContaining('is missing')]);
  });

  it('finds a property that no mutant guards, although the page admits it', () => {
    const wider = [...PROPERTIES, 'flows'];
    const honest = killMatrixPage(
      linesAsTheyMustBe(SUBJECTS).map((line) => ({ ...line, witness: 'seen' })),
      wider,
      null,
    );
    expect(complaintsAbout(honest, SUBJECTS, wider)).toEqual([expect.stringMatching(/has a hole: .*flows/)]);
  });
});
