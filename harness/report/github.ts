import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { Skipped } from '../drill/lacking.ts';
import type { GateReport } from '../regression/gate-report.ts';
import { overtime } from './gate-table.ts';

/** GitHub shows ten annotations of a kind for each step, and drops the rest. */
const MOST_ANNOTATIONS = 10;

/**
 * What a drill found as workflow commands of GitHub Actions: an error for each violated claim, a warning for each that
 * could not be decided, a notice for a drill without any.
 */
export function githubAnnotations({ scenario, verdict, properties, expectations }: Judgement): string {
  const findings = [...properties, ...expectations];
  const wrong = findings.filter((one) => one.verdict === 'fail' || one.verdict === 'error');
  const open = findings.filter((one) => one.verdict === 'inconclusive');
  const lines = [...annotations('error', scenario, wrong), ...annotations('warning', scenario, open)];
  if (lines.length > 0) return lines.join('\n');
  if (verdict === 'pass') return command('notice', `killdrill: ${scenario}`, 'every claim that applies holds');
  return command('warning', `killdrill: ${scenario}`, `${verdict}: no property applies`);
}

export function githubSkipped({ scenario, why }: Skipped): string {
  return command('warning', `killdrill: ${scenario}`, `skipped, which is no pass: ${why}`);
}

/** A gate as a whole: one line for what it found, and one when it took longer than its profile may. */
export function githubGate(report: GateReport): string {
  const { verdict, profile, regressions, coverage } = report;
  const title = `killdrill gate${profile === null ? '' : ` ${profile.name}`}`;
  const named = (answer: string): string =>
    regressions.flatMap((one) => (one.answer === answer ? [one.name] : [])).join(', ');
  const parts = [
    ['regressed', named('regressed')],
    ['not comparable', named('not_comparable')],
    ['empty cells', coverage.flatMap(({ empty }) => empty ?? []).join('; ')],
  ].flatMap(([what, which = '']) => (which === '' ? [] : [`${what}: ${which}`]));
  const kinds = { pass: 'notice', inconclusive: 'warning', fail: 'error', error: 'error' } as const;
  const found = command(kinds[verdict], title, [`${verdict}, ${regressions.length} kept runs`, ...parts].join('. '));
  const over = overtime(report);
  return over === null ? found : `${found}\n${command('warning', title, over)}`;
}

function annotations(
  kind: 'error' | 'warning',
  scenario: string,
  findings: readonly PropertyFinding[],
): readonly string[] {
  const shown = findings.slice(0, findings.length > MOST_ANNOTATIONS ? MOST_ANNOTATIONS - 1 : MOST_ANNOTATIONS);
  const lines = shown.map(({ name, verdict, reason }) =>
    command(kind, `killdrill: ${scenario}: ${name}`, `${verdict}: ${reason}`),
  );
  const more = findings.length - shown.length;
  return more === 0 ? lines : [...lines, command(kind, `killdrill: ${scenario}`, `${more} claims more, in the report`)];
}

function command(kind: 'error' | 'warning' | 'notice', title: string, message: string): string {
  const inProperty = escaped(title).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::${kind} title=${inProperty}::${escaped(message)}`;
}

/** The runner reads one command a line: nothing from outside may begin another. */
function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
