import { copyFileSync, readdirSync, readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBundle } from '../harness/bundle/create.ts';
import { readDrillRecord, RECORD_FILES } from '../harness/bundle/drill-record.ts';
import { ENVIRONMENT_FILE } from '../harness/bundle/environment-file.ts';
import { writeVerdict } from '../harness/bundle/write-verdict.ts';
import { judge } from '../harness/checkers/judge.ts';
import { PROPERTY_NAMES } from '../harness/checkers/registry.ts';
import { storeHeadOf } from '../harness/drill/store-head.ts';

/** The committed sample, from the project's root. */
export const SAMPLE = 'reports/sample';

/** What the drill recorded; everything else in the sample is made from these. */
const RECORDED = [...Object.values(RECORD_FILES), ENVIRONMENT_FILE];

/** The sample's bundle made again from its record, with the checkers and the reports of today: its files by name. */
export async function remakeSample(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const scratch = mkdtempSync(join(tmpdir(), 'killdrill-sample-'));
  try {
    const bundle = createBundle({ reportsFolder: scratch, time: new Date(0), scenarioName: 'sample' });
    for (const name of RECORDED) copyFileSync(join(folder, name), bundle.path(name));
    // Without a manifest it counts as cut short; this drill came to its end.
    const record = { ...(await readDrillRecord(bundle.folder, PROPERTY_NAMES)), complete: true };
    await writeVerdict(bundle, record, judge(record));
    await bundle.finish(storeHeadOf(record.events));
    const names = readdirSync(bundle.folder).toSorted();
    return new Map(names.map((name) => [name, readFileSync(join(bundle.folder, name))]));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
