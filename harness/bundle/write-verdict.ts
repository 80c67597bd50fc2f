import { messageOf } from '../../src/errors.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillRecord } from '../drill/drill.ts';
import { renderHtml } from '../report/html/page.ts';
import type { ReportInput } from '../report/html/report-input.ts';
import { junitDocument, junitSuite } from '../report/junit.ts';
import type { Bundle } from './create.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from './environment-file.ts';
import { VERDICT_FILE } from './stored-verdict.ts';

/** What a run writes of its verdict for people and for CI (DESIGN §8). */
export const REPORT_FILES = { html: 'report.html', junit: 'junit.xml' } as const;

/**
 * Writes `verdict.json`, and then what is derived from it and the record. All of them are in the manifest, which is made
 * afterwards: a report in which a fail was made a pass is as bad as such a verdict (decision 0020).
 *
 * A report that cannot be drawn costs neither the verdict nor the manifest: its page says why.
 */
export async function writeVerdict(bundle: Bundle, record: DrillRecord, judgement: Judgement): Promise<void> {
  await bundle.write(VERDICT_FILE, `${JSON.stringify(judgement, null, 2)}\n`);
  await bundle.write(REPORT_FILES.junit, junitDocument([junitSuite(judgement)]));
  const environment = await readEnvironmentFile(bundle.path(ENVIRONMENT_FILE));
  await bundle.write(REPORT_FILES.html, drawn({ record, judgement, environment }));
}

function drawn(input: ReportInput): string {
  try {
    return renderHtml(input);
  } catch (error) {
    return `The report of this run could not be drawn: ${messageOf(error)}. Its verdict is in ${VERDICT_FILE}.\n`;
  }
}
