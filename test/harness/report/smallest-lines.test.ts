import { expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { Found } from '../../../harness/replay/find-smallest.ts';
import { endLines } from '../../../harness/report/smallest-lines.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

const record = recordOf(cleanDrill());
const plan = { scenario: record.scenario, trace: record.trace };
const FOUND: Extract<Found, { kind: 'found' }> = {
  kind: 'found',
  smallest: { plan, yaml: '' },
  judgement: judge(record),
  ...{ wentBack: 0, notAgain: 0, steps: [], refused: 2, spent: false },
};
const said = (more: Partial<typeof FOUND>): string =>
  endLines({ ...FOUND, ...more }, { plan, tries: 30 }, 10_000)
    .slice(2)
    .join('\n');

it('says that nothing more can be dropped only of the smallest that held', () => {
  expect(said({})).toBe('nothing more can be dropped; 2 candidates were no scenario, and not drilled');
  expect(said({ wentBack: 1 })).toBe(
    '1 smaller one held once, was drilled again, and did not hold\n2 candidates were no scenario, and not drilled',
  );
  expect(said({ wentBack: 2, spent: true })).toBe(
    '2 smaller ones held once, were drilled again, and did not hold\n' +
      'tries or time (30 drills) ended before everything was tried; 2 candidates were no scenario, and not drilled',
  );
});

it('says of everything how many smaller ones were not drilled again', () => {
  expect(said({ wentBack: 3, notAgain: 13 })).toMatch(
    /^16 smaller ones held once; the 3 smallest were drilled again and did not hold, the others \(13\) were not drilled again: this is everything$/m,
  );
});
