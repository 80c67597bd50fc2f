import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readDrillRecord } from '../../../harness/bundle/drill-record.ts';
import { openBundle } from '../../../harness/bundle/open.ts';
import { readStoredVerdict } from '../../../harness/bundle/stored-verdict.ts';
import { judge } from '../../../harness/checkers/judge.ts';
import { PROPERTY_NAMES } from '../../../harness/checkers/registry.ts';
import type { VerdictFile } from '../../../harness/checkers/verdict-file.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';

/** Bundles that killdrill wrote as its formats grew; none is ever edited, and one is added when a format changes. */
const FOLDER = fileURLToPath(new URL('kept-bundles/', import.meta.url));
const BUNDLES = readdirSync(FOLDER);

describe('bundles of older versions', () => {
  it('are there, of each version of a trace, and small', () => {
    expect(BUNDLES).toEqual(['sealed', 'signed', 'trace-version-1', 'with-a-queue', 'with-alerts']);
    const header = (name: string): string =>
      gunzipSync(readFileSync(join(FOLDER, name, 'trace.jsonl.gz')))
        .toString()
        .slice(0, 13);
    expect(new Set(BUNDLES.map(header))).toEqual(new Set(['{"version":1,', '{"version":2,']));
    const bytes = BUNDLES.flatMap((name) => readdirSync(join(FOLDER, name)).map((file) => join(FOLDER, name, file)));
    expect(bytes.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(700_000);
  });

  it.each(BUNDLES)('is untouched, read whole, and judged as it was: %s', async (name) => {
    const folder = join(FOLDER, name);
    expect((await openBundle(folder)).complete).toBe(true);
    const record = await readDrillRecord(folder, PROPERTY_NAMES);
    expect(record.complete).toBe(true);
    expect(record.trace.header.version).toBe(TRACE_VERSION);
    expect(record.trace.runs.length).toBeGreaterThan(100);
    const now = judge(record);
    const then = (await readStoredVerdict(folder)) as VerdictFile;
    const known = [...now.properties, ...now.expectations];
    const verdictNow = (one: string): string | undefined => known.find((finding) => finding.name === one)?.verdict;
    const both = [...then.properties, ...then.expectations].map(({ name: one, verdict }) => [
      `${one}: ${verdict}`,
      `${one}: ${verdictNow(one)}`,
    ]);
    expect(both.map(([, after]) => after)).toEqual(both.map(([before]) => before));
    expect(now.verdict).toBe(then.verdict);
    expect(now.flips.map(({ kind, revision }) => [kind, revision])).toEqual([
      ['stop', 1],
      ['release', 2],
    ]);
  });
});
