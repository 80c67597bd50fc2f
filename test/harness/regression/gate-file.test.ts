import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readGateFile } from '../../../harness/regression/gate-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-gate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string) {
  const file = join(folder, 'gate.yaml');
  writeFileSync(file, text);
  return readGateFile(file);
}

describe('gate.yaml', () => {
  it('demands every combination once', () => {
    const text = `version: 1
coverage:
  - { scopes: [tenant, global], modes: [halt_all], paths: [postgres] }
  - { scopes: [tenant], modes: [halt_all, emergency], paths: [postgres] }
`;
    expect(read(text).coverage.map(({ scope, mode, path }) => `${scope} ${mode} ${path}`)).toEqual([
      'tenant halt_all postgres',
      'global halt_all postgres',
      'tenant emergency postgres',
    ]);
  });

  it('names the fleet, and demands nothing that it does not say', () => {
    expect(read('version: 1\n')).toEqual({ fleet: null, coverage: [], profiles: new Map() });
    expect(read('version: 1\nfleet: { command: [node, worker.js] }\n').fleet).toEqual(['node', 'worker.js']);
  });

  it('has profiles, which need to say nothing', () => {
    const text = `version: 1
profiles:
  pr:
    within: 1.5m
    runs: [one, two, one]
    coverage: [{ scopes: [tenant], modes: [halt_all], paths: [file] }]
  nightly: {}
`;
    const cell = { scope: 'tenant', mode: 'halt_all', path: 'file' };
    expect([...read(text).profiles]).toEqual([
      ['pr', { withinMs: 90_000, runs: ['one', 'two'], coverage: [cell] }],
      ['nightly', { withinMs: null, runs: null, coverage: null }],
    ]);
  });

  it.each([
    ['version: 2\n', /gate\.yaml:1:10: version: .*expected 1/],
    ['version: 1\nrerun: 3\n', /gate\.yaml:2:1: rerun: found the unknown key 'rerun'/],
    ['version: 1\ncoverage: []\n', /gate\.yaml:2:11: coverage/],
    ['version: 1\ncoverage: [{ scopes: [tennant], modes: [halt_all], paths: [postgres] }]\n', /did you mean 'tenant'/],
    ['version: 1\nprofiles: { pr: { within: 90 } }\n', /gate\.yaml:2:27: profiles\.pr\.within: .*add the unit: 90s/],
    ['version: 1\nprofiles: { pr: { run: [one] } }\n', /did you mean 'runs'/],
    ['version: 1\nprofiles: { pr: { runs: [] } }\n', /profiles\.pr\.runs: .*a list of 1 to/],
    ['version: 1\nprofiles: { Pr: {} }\n', /lower-case words/],
    ['version: 1\nprofiles: {}\n', /a map of 1 to 20 profiles/],
    ['version: 1\nversion: 1\n', /each key once/],
    ['a: [', /gate\.yaml:1/],
    ['', /version/],
  ])('says of %j where it is wrong and how to mend it', (text, sentence) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'GATE_FILE_INVALID' }) as Error);
    expect(() => read(text)).toThrow(sentence);
  });

  it('says when it cannot be read', () => {
    expect(() => readGateFile(folder)).toThrow(/what the gate demands cannot be read \(it is no ordinary file\)/);
  });
});
