import { expect, test } from 'vitest';
import type { SelftestRow } from '../../../harness/selftest/kill-matrix.ts';
import { linesOfRows } from '../../../harness/selftest/matrix-line.ts';
import type { Subject } from '../../../harness/selftest/subject.ts';

const MUTANT: Subject = {
  ...{ kind: 'mutant', name: 'deaf', bug: 'hears nothing', removes: [], property: 'stops', scenario: 'tenant' },
  ...{ grants: [], sql: null },
};
const row = (sound: boolean, witness: string): SelftestRow => ({
  ...{ name: 'deaf', kind: 'mutant', scenario: 'tenant', property: 'stops', verdict: 'fail', verdicts: {} },
  ...{ sound, why: null, witness },
});

test('a mutant is killed when every round killed it, with the first witness', () => {
  expect(linesOfRows([MUTANT], [row(true, 'one'), row(true, 'two')])).toMatchObject([
    { name: 'deaf', bug: 'hears nothing', property: 'stops', sound: true, witness: 'one' },
  ]);
});

test('a mutant that survived one round, or was never drilled, is not killed', () => {
  for (const rows of [[row(true, 'one'), row(false, 'two')], []])
    expect(linesOfRows([MUTANT], rows)).toMatchObject([{ sound: false, witness: null }]);
});
