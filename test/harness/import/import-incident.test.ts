import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { importRecords } from '../../../harness/cli/commands/import.ts';
import { importIncident } from '../../../harness/import/import-incident.ts';
import type { ImportedIncident } from '../../../harness/import/import-incident.ts';
import { readMapping } from '../../../harness/import/mapping.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { scenarioToYaml } from '../../../harness/scenario/to-yaml.ts';
import { parseTrace, traceText } from '../../../harness/traffic/trace-text.ts';

const root = mkdtempSync(join(tmpdir(), 'killdrill-import-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder = root;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'i-'));
});

const MAPPING = [
  'version: 1',
  'name: sample',
  'flips: { id: id, time: at, kind: kind, scope: scope, target: target }',
  'effects: { id: id, time: at, duration: { column: ms }, run: run, tenant: tenant, capability: tool, parent: parent, flip: flip }',
  'spans: { id: id, time: { column: start, unit: ns }, run: run, tenant: tenant, capability: tool }',
].join('\n');
const at = (seconds: number, zone = 'Z'): string =>
  `2026-05-04T10:${String(Math.floor(seconds / 60)).padStart(2, '0')}:${(seconds % 60).toFixed(3).padStart(6, '0')}${zone}`;
const FLIPS = `id,at,kind,scope,target\nf1,${at(60)},stop,tenant,acme\nf2,${at(70)},release,tenant,acme\n`;
/** Ten calls a second for two minutes, by turns of two tenants, each a run of its own. */
const rows = Array.from({ length: 1_200 }, (_, i) => ({
  id: `e${i}`,
  at: i / 10,
  ms: 50,
  run: `r${i}`,
  tenant: i % 2 === 0 ? 'acme' : 'globex',
  tool: 'pay/card',
  parent: '',
  flip: '',
}));
type Effect = (typeof rows)[number];
const HEAD = 'id,at,ms,run,tenant,tool,parent,flip';
const csvOf = (effects: readonly Effect[], zone = 'Z'): string =>
  `${[HEAD, ...effects.map((one) => [one.id, at(one.at, zone), one.ms, one.run, one.tenant, one.tool, one.parent, one.flip].join(','))].join('\n')}\n`;

interface Given {
  readonly flips?: string;
  readonly effects?: string | Uint8Array;
  readonly mapping?: string;
  readonly spans?: string;
}

function write({ flips = FLIPS, effects = csvOf(rows), mapping = MAPPING, spans }: Given): void {
  for (const [name, text] of Object.entries({
    'flips.csv': flips,
    'effects.csv': effects,
    'mapping.yaml': mapping,
    'spans.json': spans,
  })) {
    if (text !== undefined) writeFileSync(join(folder, name), text);
  }
}

async function imported(given: Given): Promise<ImportedIncident> {
  write(given);
  const mapping = readMapping(join(folder, 'mapping.yaml'));
  if (mapping.effects === undefined || mapping.spans === undefined) throw new Error('no effects');
  const file = <M>(name: string, of: M, isSpans = false) => ({ path: join(folder, name), name, mapping: of, isSpans });
  const spans = given.spans === undefined ? [] : [file('spans.json', mapping.spans, true)];
  const effects = [file('effects.csv', mapping.effects), ...spans];
  return importIncident({ mapping, flips: file('flips.csv', mapping.flips), alerts: null, effects, salt: 'salt' });
}

function said({ findings }: ImportedIncident): string {
  return findings.map(({ kind, sentence }) => `${kind}: ${sentence}`).join('\n');
}

test('an incident becomes a scenario that validates, and a trace of what lies around its flips', async () => {
  const { scenario, trace, findings } = await imported({});
  expect(scenario.timeline.map(({ kind, when }) => [kind, when])).toEqual([
    ['flip', { kind: 'start', offsetMs: 10_000 }],
    ['release', { kind: 'start', offsetMs: 20_000 }],
  ]);
  expect(scenario.holdMs).toBe(10_000);
  expect(trace.runs.map(({ dueMs }) => dueMs)).toEqual(
    rows.filter((row) => row.at >= 50 && row.at < 80).map((row) => Math.round((row.at - 50) * 1_000)),
  );
  expect(trace.runs[0]).toMatchObject({
    run: 'r500',
    tenant: 'acme',
    plan: [{ capability: 'pay/card', access: 'write', serviceMs: 50 }],
  });
  expect(findings).toContainEqual({
    kind: 'left out',
    sentence: '900 effects lie before, after or in what was cut out of the incident',
  });
  expect(parseTrace(traceText(trace), 't')).toEqual(trace);
  expect(parseScenario(scenarioToYaml(scenario), 'x', [], () => trace)).toEqual(scenario);
});

test('the same records give the same drill, gzipped, out of order, or in several pieces', async () => {
  const plain = await imported({});
  const shuffled = csvOf(rows.toSorted((one, other) => one.id.localeCompare(other.id)));
  const again = await imported({ effects: gzipSync(shuffled) });
  expect(traceText(again.trace)).toBe(traceText(plain.trace));
  expect(said(again)).toMatch(
    /corrected: \d+ rows of effects\.csv come after a later one, the first of them at effects\.csv:\d+/,
  );
});

test('a run that started another is its parent, also when spans are later than what they started', async () => {
  const family = rows.map((row) =>
    row.run === 'r551' ? { ...row, parent: 'r550' } : row.run === 'r552' ? { ...row, parent: 'r551' } : row,
  );
  const circle = family.map((row) =>
    row.run === 'r600' ? { ...row, parent: 'r601' } : row.run === 'r601' ? { ...row, parent: 'r600' } : row,
  );
  const { trace, ...rest } = await imported({ effects: csvOf(circle) });
  const child = trace.runs.find(({ run }) => run === 'r552');
  expect(child).toMatchObject({ dueMs: 5_000, parent: { run: 'r551', step: 1 }, lineage: ['r550', 'r551'] });
  expect(parseTrace(traceText(trace), 't')).toEqual(trace);
  expect(said({ ...rest, trace })).toMatch(/1 runs were started by a run that is not in the drill, or by each other/);
});

test('a run that pauses goes on as another, at its own time', async () => {
  const paused = rows.map((row) => (row.run === 'r560' ? { ...row, run: 'r540' } : row));
  const { trace } = await imported({ effects: csvOf(paused) });
  expect(trace.runs.filter(({ run }) => run.startsWith('r540')).map(({ run, dueMs }) => [run, dueMs])).toEqual([
    ['r540', 4_000],
    ['r540~2', 6_000],
  ]);
});

test('an hour between two flips is cut out, and is said to be', async () => {
  const late = FLIPS.replace(at(70), '2026-05-04T11:05:00Z');
  const evening = rows.map((row) => ({ ...row, id: `l${row.id}`, run: `l${row.run}`, at: row.at + 4 }));
  const effects = csvOf(rows) + csvOf(evening).split('\n').slice(1).join('\n').replaceAll('T10:', 'T11:');
  const { scenario, ...rest } = await imported({ flips: late, effects });
  expect(scenario.timeline.map(({ when }) => when)).toMatchObject([{ offsetMs: 10_000 }, { offsetMs: 30_000 }]);
  expect(said({ ...rest, scenario })).toMatch(/left out: 1 h 3 min 40 s between two flips/);
});

test('nothing in scope during a stop is on record: what was there before comes again, and is said to be assumed', async () => {
  const { trace, ...rest } = await imported({
    effects: csvOf(rows.filter((row) => row.tenant !== 'acme' || row.at < 60)),
  });
  const again = trace.runs.filter(({ run }) => run.includes('+'));
  expect(new Set(again.map(({ tenant }) => tenant))).toEqual(new Set(['acme']));
  expect(again.every(({ dueMs }) => dueMs > 10_000 && dueMs < 20_000)).toBe(true);
  expect(said({ trace, ...rest })).toMatch(/not reconstructed: what would have arrived in scope of the stop/);
});

describe('clocks', () => {
  const spansOf = (offsetMs: number, wobbleMs = 0): string => {
    const spans = rows.map((row, i) => ({
      ...{ traceId: 't', spanId: row.id, name: 'x' },
      startTimeUnixNano: String((Date.parse(at(row.at)) + offsetMs + (i % 10) * wobbleMs) * 1e6),
      endTimeUnixNano: String((Date.parse(at(row.at)) + offsetMs + (i % 10) * wobbleMs + 70) * 1e6),
      attributes: ['id', 'run', 'tenant', 'tool'].map((key) => ({ key, value: { stringValue: row[key as 'id'] } })),
    }));
    return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  };

  test('of spans that are two hours and some ahead of the record are found by ids, and put right', async () => {
    const found = await imported({ spans: spansOf(7_203_000) });
    expect(said(found)).toMatch(
      /the clock of spans\.json is 2 h 0 min 3 s ahead of that of effects\.csv, by 1200 ids that both have: the times of spans\.json were moved/,
    );
    expect(found.trace.runs).toHaveLength(300);
  });

  test('that no single offset explains are refused', async () => {
    await expect(imported({ spans: spansOf(7_200_000, 60_000) })).rejects.toThrow(
      expect.objectContaining({
        code: 'CLOCKS_DISAGREE',
        message: expect.stringMatching(/differ by 2 h \d min 0 s to 2 h \d min/) as string,
      }),
    );
  });

  test('of effects in another zone are found by the flip that refused them', async () => {
    const refused = rows.map((row) =>
      row.tenant === 'acme' && row.at > 60 && row.at < 70 ? { ...row, flip: 'f1' } : row,
    );
    const found = await imported({ effects: csvOf(refused, '+02:00') });
    expect(said(found)).toMatch(/the clock of effects\.csv is 2 h 0 min 0 s behind that of flips\.csv, by 1 ids/);
    expect(found.trace.runs).toHaveLength(300);
  });

  test('that nothing ties together are refused with both ranges, and an offset mends it', async () => {
    const elsewhere = csvOf(rows, '+02:00');
    await expect(imported({ effects: elsewhere })).rejects.toThrow(
      /^flips\.csv:2: found the stop 'f1' at 2026-05-04 10:01:00Z, and effects from 2026-05-04 08:00:00Z to 2026-05-04 08:01:59Z only; .*offset: -120m/,
    );
    const mapping = MAPPING.replace('effects: {', 'effects: { offset: 120m,');
    expect((await imported({ effects: elsewhere, mapping })).trace.runs).toHaveLength(300);
  });
});

describe('records that are wrong are refused by file and line', () => {
  test.each<[string, Given, RegExp]>([
    [
      'a time without a zone',
      { effects: csvOf(rows, '') },
      /^effects\.csv:2: found the time '2026-05-04T10:00:00\.000' without a zone/,
    ],
    ['no time', { effects: csvOf(rows).replace(at(0.1), 'noon') }, /^effects\.csv:3: found the time 'noon'/],
    [
      'a column that is missing',
      { effects: csvOf(rows).replace('tenant', 'customer') },
      /^effects\.csv:1: found the columns .*expected 'tenant'/,
    ],
    [
      'nothing for a run',
      { effects: csvOf(rows).replace(',r1,', ',,') },
      /^effects\.csv:3: found nothing for run in 'run'/,
    ],
    [
      'a file cut short',
      { effects: gzipSync(csvOf(rows)).subarray(0, 4_000) },
      /effects\.csv: the gzip ends too early/,
    ],
    ['a row cut short', { effects: csvOf(rows).slice(0, -15) }, /^effects\.csv:1201: found \d fields, expected 8/],
    [
      'a kind of its own',
      { flips: FLIPS.replace('stop', 'engage') },
      /^flips\.csv:2: found the kind 'engage', expected one of stop, release; say in the mapping/,
    ],
    [
      'a scope that is none',
      { flips: FLIPS.replaceAll('tenant', 'customer') },
      /^flips\.csv:2: found the scope 'customer'/,
    ],
    ['no stop', { flips: FLIPS.replace('stop', 'release') }, /found no stop among the flips/],
    ['no flip', { flips: 'id,at,kind,scope,target\n' }, /^flips\.csv: found no flip/],
  ])('%s', async (_, given, message) => {
    await expect(imported(given)).rejects.toThrow(message);
  });

  test('and so is a mapping, and a folder that is not new, before anything is read', async () => {
    write({ mapping: MAPPING.replace('tenant: tenant,', '').replace('name: sample', 'name: Sample') });
    const files = ['flips', 'effects'].map((name) => [name, join(folder, `${name}.csv`)]);
    const flags = { ...Object.fromEntries(files), mapping: join(folder, 'mapping.yaml'), quiet: true } as {
      flips: string;
      mapping: string;
    };
    await expect(importRecords({ ...flags, out: join(folder, 'new') })).rejects.toThrow(
      /mapping\.yaml:2:7: name: found 'Sample', .*\n.*mapping\.yaml:4:\d+: effects\.tenant: found nothing/,
    );
    write({});
    await expect(importRecords({ ...flags, out: folder })).rejects.toThrow(
      /found a folder with 'effects\.csv' in it, expected a new folder/,
    );
    expect(readdirSync(folder).toSorted()).toEqual(['effects.csv', 'flips.csv', 'mapping.yaml']);
  });
});

test('names are hashed, dropped and replaced by rule, the flips’ the same way', async () => {
  const redact = 'redact: { tenant: { replace: { globex: other }, otherwise: hash }, run: drop, reason: hash }';
  const { scenario, trace } = await imported({ mapping: `${MAPPING}\n${redact}` });
  const [stop] = scenario.timeline;
  const tenants = new Set(trace.runs.map(({ tenant }) => tenant));
  expect(tenants).toEqual(new Set(['other', stop?.kind === 'flip' ? stop.target : '']));
  expect(stop).toMatchObject({ target: expect.stringMatching(/^tenant-[0-9a-f]{12}$/) as string });
  expect(traceText(trace)).not.toMatch(/acme|globex|"r\d/);
});
