import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBundle } from '../../../harness/bundle/create.ts';
import type { Bundle } from '../../../harness/bundle/create.ts';
import { readEnvironmentFile } from '../../../harness/bundle/environment-file.ts';
import { openBundle } from '../../../harness/bundle/open.ts';
import { writeVerdict } from '../../../harness/bundle/write-verdict.ts';
import { renderHtml } from '../../../harness/report/html/page.ts';
import { clean, environment } from '../report/drills.ts';

let folder: string;
let bundle: Bundle;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-verdict-'));
  bundle = createBundle({ reportsFolder: folder, time: new Date(0), scenarioName: 'tenant-halt' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string): string => readFileSync(bundle.path(name), 'utf8');

describe('writeVerdict', () => {
  it('writes the verdict, and the reports that are made from it, before the manifest', async () => {
    await bundle.write('environment.json', JSON.stringify(environment));
    await writeVerdict(bundle, clean.record, clean.judgement);
    await bundle.finish(null);
    expect(JSON.parse(read('verdict.json'))).toEqual(clean.judgement);
    expect(read('report.html')).toBe(renderHtml(clean));
    const { files } = await openBundle(bundle.folder);
    expect(files).toEqual(['environment.json', 'junit.xml', 'report.html', 'verdict.json']);
  });

  it('keeps the verdict when its report cannot be drawn, and says why in it', async () => {
    const { expect: _expect, ...less } = clean.record.scenario;
    const record = { ...clean.record, scenario: less as typeof clean.record.scenario };
    await writeVerdict(bundle, record, clean.judgement);
    expect(JSON.parse(read('verdict.json'))).toEqual(clean.judgement);
    expect(read('report.html')).toMatch(
      /^The report of this run could not be drawn: .* Its verdict is in verdict\.json\.\n$/,
    );
  });
});

describe('readEnvironmentFile', () => {
  it('takes what it knows, and does without what it does not', async () => {
    const file = join(folder, 'environment.json');
    expect(await readEnvironmentFile(file)).toBeNull();
    for (const text of ['no JSON', '[]', '{"version":2,"environment":{},"machine":{}}']) {
      writeFileSync(file, text);
      expect(await readEnvironmentFile(file), text).toBeNull();
    }
    writeFileSync(file, JSON.stringify({ ...environment, traffic: { more: true } }));
    expect(await readEnvironmentFile(file)).toEqual(environment);
  });
});
