import { readDrillRecord } from '../../bundle/drill-record.ts';
import { judge } from '../../checkers/judge.ts';
import { PROPERTY_NAMES } from '../../checkers/registry.ts';
import { compareRuns } from '../../compare/compare-runs.ts';
import type { JudgedRun } from '../../compare/compare-runs.ts';
import { renderComparison } from '../../report/comparison.ts';
import { makePrng } from '../../traffic/prng.ts';
import { EXIT } from '../exit.ts';
import { data, mayColour } from '../output.ts';

const WIDTH = 80;
/** The noise floor is drawn, and the same two bundles have the same one. */
const SEED = 1;

/**
 * `killdrill compare A B`: judges two stored runs anew, with the same checkers, and sets the second beside the first. Exit
 * code 1 when a verdict got worse; figures are told, and decide nothing.
 */
export async function compare(first: string, second: string, flags: { readonly json?: boolean }): Promise<number> {
  const comparison = compareRuns(await judged(first), await judged(second), makePrng(SEED));
  if (flags.json === true) data(JSON.stringify(comparison, null, 2));
  else data(renderComparison(comparison, { width: WIDTH, colour: mayColour(process.stdout) }));
  return comparison.worse ? EXIT.failed : EXIT.pass;
}

async function judged(folder: string): Promise<JudgedRun> {
  const record = await readDrillRecord(folder, PROPERTY_NAMES);
  return { record, judgement: judge(record) };
}
