import type { GateReport, ReportedRegression } from '../regression/gate-report.ts';
import { overtime } from './gate-table.ts';
import { markdownCode, markdownInline, markdownTable } from './markdown.ts';

const SIGNS: Readonly<Record<GateReport['verdict'], string>> = {
  pass: '✅',
  fail: '❌',
  inconclusive: '❔',
  error: '💥',
};
const ANSWERS: Readonly<Record<ReportedRegression['answer'], string>> = {
  same: '✅ same',
  regressed: '❌ regressed',
  not_comparable: '❔ not comparable',
};

/** What a gate found, for a step summary: a table of kept runs, and every empty cell. */
export function gateMarkdown(report: GateReport): string {
  const { gate, environment, seconds, profile, verdict, exitCode, regressions, coverage } = report;
  const runs = regressions.map((one) => [
    `${ANSWERS[one.answer]}${one.flaky ? ', flaky' : ''}`,
    markdownCode(one.name),
    one.drills.map((drill) => `${drill.verdict ?? 'broke off'} (${drill.seconds.toFixed(1)} s)`).join(', then ') || '–',
    one.why.map(markdownInline).join('<br>'),
  ]);
  const empty = coverage.flatMap(({ empty: why }) => (why === null ? [] : [`- ❌ empty cell: ${markdownInline(why)}`]));
  const over = overtime(report);
  const part = profile === null ? '' : `, profile ${profile.name}`;
  const facts = `${markdownCode(gate)}${part}, on ${environment}: ${regressions.length} kept, ${seconds.toFixed(0)} s, exit code ${exitCode}.`;
  const parts = [
    `## ${SIGNS[verdict]} killdrill gate: ${verdict}`,
    facts,
    markdownTable(['answer', 'kept run', 'drilled', 'why'], runs),
    ...(empty.length === 0 ? [] : [empty.join('\n')]),
    ...(over === null ? [] : [`> ${markdownInline(over)}`]),
  ];
  return `${parts.join('\n\n')}\n`;
}
