import type { GateReport } from '../regression/gate-report.ts';
import { githubGate } from '../report/github.ts';
import { gateMarkdown } from '../report/gate-markdown.ts';
import { note } from './output.ts';
import { addToStepSummary, notWritten } from './reporters.ts';
import type { Reporter } from './reporters.ts';

/**
 * What a gate found as a whole, for GitHub Actions: annotations, and a table in the job's step summary. Nothing unless the
 * reporter `github` was asked for; each drill has told its own.
 *
 * @throws KilldrillError `REPORT_NOT_WRITTEN`
 */
export function tellGithub(report: GateReport, reporters: readonly Reporter[]): void {
  if (!reporters.some(({ name }) => name === 'github')) return;
  note(githubGate(report));
  const failures = addToStepSummary(gateMarkdown(report));
  if (failures.length > 0) throw notWritten(failures);
}
