import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { PROPERTY_NAMES } from '../../../harness/checkers/registry.ts';
import { DRILL_TIMES } from '../../../harness/drill/drill.ts';
import { drillEndMs } from '../../../harness/scenario/drill-end.ts';
import { loadScenario } from '../../../harness/scenario/load.ts';
import { scenarioText } from './scenario-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'killdrill-scenario-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test('a file is read', () => {
  expect(loadScenario(file('good.yaml', scenarioText()), []).name).toBe('sample');
});

test('a byte order mark and Windows line ends are fine', () => {
  const text = `\ufeff${scenarioText().replaceAll('\n', '\r\n')}`;
  expect(loadScenario(file('windows.yaml', text), []).name).toBe('sample');
});

describe('a file that cannot be read is a problem of the scenario', () => {
  test.each([
    ['missing', () => join(folder, 'none.yaml'), /none\.yaml:1:1: found no such file, expected a scenario/],
    ['a folder', () => folder, /:1:1: found a folder/],
    ['a device', () => '/dev/zero', /found something that is no ordinary file/],
    ['bytes', () => file('bytes.yaml', Uint8Array.of(0xff, 0xfe, 0x80)), /found bytes that are not UTF-8/],
    ['huge', () => file('huge.yaml', ' '.repeat(70_000)), /found 70000 bytes/],
    ['empty', () => file('empty.yaml', ''), /empty\.yaml:1:1: found an empty file/],
  ])('%s', (_, path, message) => {
    expect(() => loadScenario(path(), [])).toThrow(
      expect.objectContaining({ code: 'SCENARIO_INVALID', message: expect.stringMatching(message) }),
    );
  });
});

describe('the scenarios that are shipped', () => {
  const shipped = fileURLToPath(new URL('../../../scenarios/', import.meta.url));
  const names = readdirSync(shipped).filter((name) => name.endsWith('.yaml'));

  test('are there', () => {
    expect(names).toEqual(
      expect.arrayContaining(['tenant-halt.yaml', 'global-halt.yaml', 'capability-halt.yaml', 'run-halt.yaml']),
    );
  });

  test.each(names)(
    '%s is valid, is named after its file, and is over in 50 s when it need not wait for exposure or a count',
    (name) => {
      const scenario = loadScenario(join(shipped, name), PROPERTY_NAMES);
      expect(`${scenario.name}.yaml`).toBe(name);
      const counted = scenario.timeline.filter(({ when }) => when.kind === 'effect').length;
      const waitedMs = DRILL_TIMES.exposedGiveUpMs + counted * DRILL_TIMES.effectGiveUpMs;
      expect(drillEndMs(scenario) - waitedMs).toBeLessThan(50_000);
    },
  );
});
