import { describe, expect, it } from 'vitest';
import type { GateReport, ReportedRegression } from '../../../harness/regression/gate-report.ts';
import { gateMarkdown } from '../../../harness/report/gate-markdown.ts';
import { gateLine, renderGate } from '../../../harness/report/gate-table.ts';
import { githubGate } from '../../../harness/report/github.ts';
import { wordsOf } from './shell-words.ts';
import { columnsOf } from '../../../harness/report/wrap.ts';

const drill = { seconds: 10.25, bundle: 'reports/one', notComparable: [], notes: [], broken: null } as const;
const finding = {
  name: 'no_effect_after_stop',
  verdict: 'fail',
  reason: 'effect 648 came late',
  evidence: { effect: 648, run: '\u001b[31mrun' },
} as const;
const failed = { ...drill, verdict: 'fail', exitCode: 1, regressed: [{ was: 'pass', finding }] } as const;
const passed = { ...drill, verdict: 'pass', exitCode: 0, regressed: [] } as const;
const fine: ReportedRegression = {
  ...{ name: 'fine', folder: 'kept/fine', answer: 'same', why: [], exitCode: 0, flaky: false, kept: 'pass' },
  drills: [passed],
};
const flaky: ReportedRegression = {
  ...{
    name: 'flaky-'.repeat(10).slice(0, -1),
    folder: 'kept/flaky',
    answer: 'regressed',
    exitCode: 1,
    flaky: true,
    kept: 'pass',
  },
  why: ['no_effect_after_stop was pass and fails: effect 648 came late'],
  drills: [failed, passed],
};
const cell = { scope: 'tenant', mode: 'halt_noncritical', path: 'postgres' } as const;
const report: GateReport = {
  ...{ version: 1, gate: 'kept', environment: 'embedded', verdict: 'fail', exitCode: 1, seconds: 31 },
  profile: null,
  regressions: [fine, flaky],
  coverage: [
    { ...cell, by: ['fine'], notShownBy: [], empty: null },
    { ...cell, path: 'alert', by: [], notShownBy: [], empty: 'tenant × halt_noncritical × alert: no kept run' },
  ],
};
const text = renderGate(report, { width: 80, colour: false });

describe('renderGate', () => {
  it('fits 80 columns, and obeys no escape code', () => {
    for (const line of text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80);
    expect(text).not.toContain('\u001b');
  });

  it('shows every kept run with both drills, and says of a flaky one that it stays failed', () => {
    expect(text).toMatch(/same +│ pass +│ pass +│ +10\.[23] │ fine/);
    expect(text).toMatch(/regressed +│ pass +│ fail, then/);
    expect(text.replaceAll(/[\s│]+/g, ' ')).toContain('it stays failed');
  });

  it('names what regressed, its evidence, its bundles and the command, and ends with the verdict', () => {
    for (const said of [
      /fails: effect 648 came late/,
      /evidence: effect 648/,
      /bundle: reports\/one/,
      /gate kept\/flaky/,
    ])
      expect(text).toMatch(said);
    expect(text).toContain('empty cell: tenant × halt_noncritical × alert');
    expect(text.trimEnd().split('\n').at(-1)).toBe('verdict: fail (exit 1)');
  });

  it('names a command that a shell takes, whatever the folder is called', () => {
    const folder = "kept/it's a long name of many words, as people give them to a folder of theirs";
    const told = renderGate({ ...report, regressions: [{ ...flaky, folder }] }, { width: 80, colour: false });
    const line = told.slice(told.indexOf('again: ') + 'again: '.length).split('\n\n')[0] ?? '';
    expect(wordsOf(line)).toEqual(['killdrill', 'gate', folder]);
  });

  it('says nothing more of what is as it was', () => {
    expect(text).not.toContain('fine: same');
  });

  it('has a line for each as it is known', () => {
    expect(gateLine(fine)).toBe('same            fine (10.3 s)');
    expect(gateLine(flaky)).toMatch(/^regressed {7}flaky-.* \(20\.5 s, drilled twice, flaky\)$/);
    expect(gateLine({ ...fine, answer: 'not_comparable', drills: [] })).toBe('not comparable  fine (not drilled)');
  });
});

describe('a profile that took longer than it may', () => {
  const over: GateReport = { ...report, seconds: 97.3, profile: { name: 'pr', withinSeconds: 90, ranOver: true } };

  it('is told with its longest run, before the verdict, which is what it was', () => {
    const said = renderGate(over, { width: 80, colour: false });
    expect(said.replaceAll(/\s+/g, ' ')).toMatch(
      /over its time: profile pr took 97\.3 s of 90 s; the longest was flaky-.*: 20\.5 s, drilled twice\. That changes no verdict/,
    );
    expect(said.trimEnd().split('\n').at(-1)).toBe('verdict: fail (exit 1)');
    expect(said).toContain('Gate kept, profile pr, on embedded: 2 kept runs in 97 s');
    expect(text).not.toContain('over its time');
  });

  it('is a warning on GitHub', () => {
    const [found, warned, ...rest] = githubGate(over).split('\n');
    expect(rest).toEqual([]);
    expect(found).toMatch(
      /^::error title=killdrill gate pr::fail, 2 kept runs\. regressed: flaky-.*\. empty cells: tenant × halt_noncritical × alert: no kept run$/,
    );
    expect(warned).toMatch(/^::warning title=killdrill gate pr::over its time: /);
  });
});

describe('gateMarkdown', () => {
  it('names what regressed and why, and the empty cells, and nothing of it is markup', () => {
    const page = gateMarkdown(report);
    expect(page).toMatch(/^## ❌ killdrill gate: fail\n/);
    expect(page).toContain('exit code 1');
    expect(page).toMatch(/\| ✅ same \| `fine` \| pass \(10\.3 s\) \|  \|/);
    expect(page).toMatch(
      /\| ❌ regressed, flaky \| `flaky-.*` \| fail \(10\.3 s\), then pass \(10\.3 s\) \| no\\_effect/,
    );
    expect(page).toContain('- ❌ empty cell: tenant × halt\\_noncritical × alert');
    const odd = { ...flaky, why: ['<b> | \n# run'] };
    expect(gateMarkdown({ ...report, regressions: [odd] })).toContain('| &lt;b> \\| \\# run |');
  });
});
