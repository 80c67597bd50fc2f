import { KilldrillError } from '../../src/errors.ts';
import { packageVersion } from '../../src/package-root.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import { keptVerdicts } from '../regression/regression-file.ts';
import { verdictChanges } from '../regression/verdict-changes.ts';
import type { VerdictChanges } from '../regression/verdict-changes.ts';
import type { EnvironmentFile } from './environment-file.ts';
import { VERDICT_FILE, readStoredVerdict } from './stored-verdict.ts';

/**
 * Holds a judgement that is complete against the verdict that was stored with the run. This is the first look at that
 * verdict: a judgement owes nothing to it.
 *
 * @param environment what the bundle says of where it ran; null when it does not
 * @throws KilldrillError `BUNDLE_ALTERED`
 */
export async function changesSinceRun(
  folder: string,
  judgement: Judgement,
  environment: EnvironmentFile | null,
): Promise<VerdictChanges> {
  const version = environment?.machine['killdrill'];
  const killdrill = { was: typeof version === 'string' ? version : null, is: packageVersion() };
  try {
    return verdictChanges(keptVerdicts(await readStoredVerdict(folder), VERDICT_FILE), judgement, killdrill);
  } catch (error) {
    if (!(error instanceof KilldrillError)) throw error;
    const why = WHY[error.code];
    if (why === undefined) throw error;
    return { kind: 'nothing_stored', why };
  }
}

const WHY: Readonly<Record<string, string>> = {
  BUNDLE_FILE_MISSING: `the run ended before it was judged, so there is no ${VERDICT_FILE} to compare with`,
  REGRESSION_UNREADABLE: `the run's ${VERDICT_FILE} is of no form that this killdrill reads, so there is nothing to compare with`,
};
