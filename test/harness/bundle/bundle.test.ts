import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBundle } from '../../../harness/bundle/create.ts';
import { RECORD_FILES, readDrillRecord } from '../../../harness/bundle/drill-record.ts';
import { digest, sealedManifest } from '../../../harness/bundle/manifest.ts';
import type { Manifest } from '../../../harness/bundle/manifest.ts';
import { openBundle } from '../../../harness/bundle/open.ts';
import { readStoredVerdict } from '../../../harness/bundle/stored-verdict.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import { openHistory } from '../../../harness/history/write.ts';
import { writeTrace } from '../../../harness/traffic/trace-file.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';

let reportsFolder = '';
beforeEach(() => {
  reportsFolder = mkdtempSync(join(tmpdir(), 'killdrill-reports-'));
});
afterEach(() => rmSync(reportsFolder, { recursive: true, force: true }));

const time = new Date('2026-07-01T10:11:12.345Z');
const scenario = `version: 1
name: tiny
description: a drill for a test
seed: 7
fleet: { workers: 1, agentsPerWorker: 1, lease: 1.2s }
traffic: { profile: production, effects: 10/s, tenants: 2 }
steadyState: { for: 1s, effectsPerSecond: { min: 1 } }
timeline:
  - at: 2s
    flip: { scope: global, mode: halt_all, queue: discard, via: postgres, reason: test }
hold: 3s
settle: 1s
expect: { timeToStop: { connected: 600ms, cut: 2s }, effectsAfterBudget: 0, properties: all }
`;

function newBundle() {
  return createBundle({ reportsFolder, time, scenarioName: 'tiny' });
}

/** A sealed bundle of a drill in which nothing happened. */
async function storedDrill(): Promise<string> {
  const bundle = newBundle();
  await bundle.write(RECORD_FILES.scenario, scenario);
  await writeTrace(bundle.path(RECORD_FILES.trace), {
    header: { version: TRACE_VERSION, seed: 7, generator: { name: 'test' } },
    runs: [],
  });
  const history = openHistory({ file: bundle.path(RECORD_FILES.history), clock: startDrillClock() });
  const what = {
    scenario: 'tiny',
    seed: 7,
    bootId: 'b',
    originNs: '0',
    workers: ['worker-1'],
    environment: 'embedded',
  };
  history.append({ type: 'drill', ...what });
  history.append({ type: 'phase', phase: 'end' });
  await history.close();
  await bundle.write('verdict.json', '{ "verdict": "pass" }\n');
  await bundle.finish({ epoch: 'e', revision: 3, hash: 'abc', signature: null });
  return bundle.folder;
}

describe('a bundle', () => {
  it('has a folder of its own for each of several drills at once', () => {
    const folders = Array.from({ length: 5 }, () => newBundle().folder);
    expect(folders.map((folder) => folder.slice(reportsFolder.length + 1))).toEqual([
      '2026-07-01T10-11-12-tiny',
      '2026-07-01T10-11-12-tiny-2',
      '2026-07-01T10-11-12-tiny-3',
      '2026-07-01T10-11-12-tiny-4',
      '2026-07-01T10-11-12-tiny-5',
    ]);
  });

  it('stays inside the reports folder whatever the scenario is called', () => {
    const { folder } = createBundle({ reportsFolder, time, scenarioName: '../../etc/x y' });
    expect(readdirSync(reportsFolder)).toEqual([folder.slice(reportsFolder.length + 1)]);
  });

  it('says when its folder cannot be made', () => {
    const file = join(reportsFolder, 'file');
    writeFileSync(file, '');
    expect(() => createBundle({ reportsFolder: file, time, scenarioName: 'tiny' })).toThrow(/--out/);
  });

  it.each(['../x', 'a/b', '', '.hidden', 'manifest.json'])('takes no file named "%s"', async (name) => {
    await expect(newBundle().write(name, 'x')).rejects.toMatchObject({ code: 'BUNDLE_NAME' });
  });

  it('is verified as it was written', async () => {
    const folder = await storedDrill();
    const bundle = await openBundle(folder);
    expect(bundle).toMatchObject({ complete: true, incompleteBecause: null });
    expect(bundle.storeHead).toEqual({ epoch: 'e', revision: 3, hash: 'abc', signature: null });
    expect(bundle.files).toEqual(['history.jsonl.gz', 'scenario.yaml', 'trace.jsonl.gz', 'verdict.json']);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('takes nothing more once its manifest is written', async () => {
    const bundle = newBundle();
    await bundle.finish();
    await expect(bundle.write('late.json', '{}')).rejects.toMatchObject({ code: 'BUNDLE_FINISHED' });
    await expect(bundle.finish()).rejects.toMatchObject({ code: 'BUNDLE_FINISHED' });
  });

  it('names the file of which any byte was changed', async () => {
    const folder = await storedDrill();
    for (const name of (await openBundle(folder)).files) {
      const path = join(folder, name);
      const whole = readFileSync(path);
      for (let at = 0; at < whole.length; at += 41) {
        const changed = Buffer.from(whole);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        writeFileSync(path, changed);
        const opening = openBundle(folder);
        await expect(opening, `${name} byte ${at}`).rejects.toMatchObject({ code: 'BUNDLE_ALTERED' });
        await expect(opening).rejects.toThrow(name);
      }
      writeFileSync(path, whole);
    }
    expect((await openBundle(folder)).complete).toBe(true);
  });

  it('names a file that grew, went, or became a link', async () => {
    const folder = await storedDrill();
    const verdict = join(folder, 'verdict.json');
    const whole = readFileSync(verdict);
    appendFileSync(verdict, ' ');
    await expect(openBundle(folder)).rejects.toThrow(/verdict\.json.*bytes instead of/);
    unlinkSync(verdict);
    await expect(openBundle(folder)).rejects.toThrow(/verdict\.json.*missing/);
    writeFileSync(join(reportsFolder, 'elsewhere'), whole);
    symlinkSync(join(reportsFolder, 'elsewhere'), verdict);
    await expect(openBundle(folder)).rejects.toThrow(/verdict\.json.*no plain file/);
  });

  it.each([
    '{',
    '[]',
    '{"version":2,"files":{},"storeHead":null}',
    '{"version":1,"files":{"../x":{}},"storeHead":null}',
  ])('names its manifest when that is %s', async (text) => {
    const folder = await storedDrill();
    writeFileSync(join(folder, 'manifest.json'), text);
    const opening = openBundle(folder);
    await expect(opening).rejects.toMatchObject({ code: 'BUNDLE_ALTERED' });
    await expect(opening).rejects.toThrow('manifest.json');
  });

  it('gives no file that the manifest does not know', async () => {
    const folder = await storedDrill();
    writeFileSync(join(folder, 'report.html'), 'planted');
    const bundle = await openBundle(folder);
    expect(() => bundle.path('report.html')).toThrow(/manifest does not know it/);
    expect(() => bundle.path('none.json')).toThrow(/has no none.json/);
  });

  it('is read without a manifest, as of a run that crashed, and says so', async () => {
    const folder = await storedDrill();
    unlinkSync(join(folder, 'manifest.json'));
    const bundle = await openBundle(folder);
    expect(bundle).toMatchObject({ complete: false, incompleteBecause: expect.stringContaining('no manifest.json') });
    expect((await readDrillRecord(folder, [])).complete).toBe(false);
  });

  it('is said to be missing when it is', async () => {
    await expect(openBundle(join(reportsFolder, 'none'))).rejects.toMatchObject({ code: 'BUNDLE_MISSING' });
  });
});

describe("a stored drill's record", () => {
  it('holds the scenario, the trace and the history', async () => {
    const record = await readDrillRecord(await storedDrill(), []);
    expect(record).toMatchObject({ complete: true, scenario: { name: 'tiny', holdMs: 3000 }, trace: { runs: [] } });
    expect(record.events.map(({ type }) => type)).toEqual(['drill', 'phase']);
  });

  it('is refused when the history breaks off under a manifest', async () => {
    const folder = await storedDrill();
    const history = join(folder, RECORD_FILES.history);
    const cut = readFileSync(history).subarray(0, -4);
    writeFileSync(history, cut);
    const { storeHead, files } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    const found = await digest(history);
    writeFileSync(
      join(folder, 'manifest.json'),
      sealedManifest({ files: { ...files, [RECORD_FILES.history]: found }, storeHead }),
    );
    await expect(readDrillRecord(folder, [])).rejects.toMatchObject({ code: 'BUNDLE_ALTERED' });
  });

  it('is incomplete when the history is', async () => {
    const folder = await storedDrill();
    const history = join(folder, RECORD_FILES.history);
    writeFileSync(history, readFileSync(history).subarray(0, -4));
    unlinkSync(join(folder, 'manifest.json'));
    expect((await readDrillRecord(folder, [])).complete).toBe(false);
  });

  it('is refused when the history does not begin at its beginning', async () => {
    const folder = await storedDrill();
    unlinkSync(join(folder, 'manifest.json'));
    writeFileSync(join(folder, RECORD_FILES.history), '');
    await expect(readDrillRecord(folder, [])).rejects.toMatchObject({ code: 'BUNDLE_UNFINISHED' });
    const late = { v: 1, seq: 1, type: 'phase', clock: 'mono', t0: 0, t1: 0, phase: 'end' };
    writeFileSync(join(folder, RECORD_FILES.history), gzipSync(`${JSON.stringify(late)}\n`));
    await expect(readDrillRecord(folder, [])).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
  });

  it('owes nothing to the stored verdict', async () => {
    const folder = await storedDrill();
    unlinkSync(join(folder, 'manifest.json'));
    writeFileSync(join(folder, 'verdict.json'), 'no JSON at all');
    await expect(readDrillRecord(folder, [])).resolves.toMatchObject({ scenario: { name: 'tiny' } });
    await expect(readStoredVerdict(folder)).rejects.toMatchObject({ code: 'BUNDLE_ALTERED' });
    unlinkSync(join(folder, 'verdict.json'));
    expect(existsSync(join(folder, 'verdict.json'))).toBe(false);
    await expect(readDrillRecord(folder, [])).resolves.toMatchObject({ scenario: { name: 'tiny' } });
    await expect(readStoredVerdict(folder)).rejects.toMatchObject({ code: 'BUNDLE_FILE_MISSING' });
  });

  it('is compared with its stored verdict only by who asks for it', async () => {
    expect(await readStoredVerdict(await storedDrill())).toEqual({ verdict: 'pass' });
  });
});
