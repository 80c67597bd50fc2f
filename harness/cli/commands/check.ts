import { readDrillRecord } from '../../bundle/drill-record.ts';
import { judge } from '../../checkers/judge.ts';
import { PROPERTY_NAMES } from '../../checkers/registry.ts';
import { note } from '../output.ts';
import { join } from 'node:path';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../bundle/environment-file.ts';
import { refuseBundleFiles } from '../refuse-bundle-files.ts';
import { report, resolveReporters } from '../reporters.ts';

/**
 * `killdrill check BUNDLE`: judges a stored history anew, offline. The bundle's own verdict is not looked at; with the same
 * checkers the answer is the same.
 */
export async function check(
  bundle: string,
  flags: { readonly reporter: readonly string[]; readonly json?: boolean; readonly quiet?: boolean },
): Promise<number> {
  const reporters = resolveReporters(flags);
  const record = await readDrillRecord(bundle, PROPERTY_NAMES);
  await refuseBundleFiles(bundle, reporters);
  const environment = await readEnvironmentFile(join(bundle, ENVIRONMENT_FILE));
  if (flags.quiet !== true) note(`judged anew from the stored history of ${bundle}; nothing was run`);
  const judgement = judge(record);
  const judgedAnew = { record, environment };
  report(judgement, { reporters, reproduce: `killdrill check ${bundle}`, bundleFolder: bundle, judgedAnew });
  return judgement.exitCode;
}
