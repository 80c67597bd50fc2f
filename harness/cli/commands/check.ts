import { changesSinceRun } from '../../bundle/changes-since-run.ts';
import { readDrillRecord } from '../../bundle/drill-record.ts';
import { judge } from '../../checkers/judge.ts';
import { PROPERTY_NAMES } from '../../checkers/registry.ts';
import { shellWord } from '../../report/shell-command.ts';
import { note } from '../output.ts';
import { join } from 'node:path';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../bundle/environment-file.ts';
import { refuseBundleFiles } from '../refuse-bundle-files.ts';
import { report, resolveReporters } from '../reporters.ts';

/**
 * `killdrill check BUNDLE`: judges a stored history anew, offline, and says what is not as the run itself was judged. The
 * bundle's own verdict is not looked at before; with the same checkers the answer is the same.
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
  const changes = await changesSinceRun(bundle, judgement, environment);
  const judgedAnew = { record, environment };
  const reproduce = `killdrill check ${shellWord(bundle)}`;
  report(judgement, { reporters, reproduce, bundleFolder: bundle, judgedAnew, changes });
  return judgement.exitCode;
}
