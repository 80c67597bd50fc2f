import { readDrillRecord } from '../../bundle/drill-record.ts';
import { judge } from '../../checkers/judge.ts';
import { PROPERTY_NAMES } from '../../checkers/registry.ts';
import { note } from '../output.ts';
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
  if (flags.quiet !== true) note(`judged anew from the stored history of ${bundle}; nothing was run`);
  const judgement = judge(record);
  report(judgement, { reporters, reproduce: `killdrill check ${bundle}`, bundleFolder: bundle });
  return judgement.exitCode;
}
