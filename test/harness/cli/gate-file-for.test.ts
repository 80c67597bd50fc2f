import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gateFileFor } from '../../../harness/cli/gate-file-for.ts';
import { NO_GATE_FILE } from '../../../harness/regression/gate-file.ts';

const NOTHING = { file: NO_GATE_FILE, said: null };

let home = '';
let run = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'killdrill-gate-for-'));
  run = join(home, 'tenant');
  mkdirSync(run);
  writeFileSync(join(run, 'regression.json'), '{}');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function demand(fleet: string): void {
  const coverage = 'coverage: [{ scopes: [tenant], modes: [halt_all], paths: [postgres] }]';
  writeFileSync(join(home, 'gate.yaml'), `version: 1\n${fleet}${coverage}\nprofiles: { pr: {} }\n`);
}

describe('the gate.yaml beside a single kept run', () => {
  it('gives it the fleet that it has among the others, which is said, and no coverage or profiles', () => {
    demand('fleet: { command: [node, worker.js] }\n');
    const { file, said } = gateFileFor(run, { home: null });
    expect(file).toEqual({ ...NO_GATE_FILE, fleet: ['node', 'worker.js'] });
    expect(said).toBe(`the fleet is that of ${join(home, 'gate.yaml')}: ["node","worker.js"]`);
    expect(gateFileFor(`${run}/`, { home: null }).file).toEqual(file);
    expect(gateFileFor(home, { home }).file.fleet).toEqual(file.fleet);
  });

  it('gives nothing when it names no fleet, when it is not there, or to a bundle', () => {
    expect(gateFileFor(run, { home: null })).toEqual(NOTHING);
    demand('');
    expect(gateFileFor(run, { home: null })).toEqual(NOTHING);
    demand('fleet: { command: [node, worker.js] }\n');
    rmSync(join(run, 'regression.json'));
    expect(gateFileFor(run, { home: null })).toEqual(NOTHING);
  });

  it('is refused when it cannot be read, and has no profile for one run', () => {
    writeFileSync(join(home, 'gate.yaml'), 'version: 9\n');
    expect(() => gateFileFor(run, { home: null })).toThrow(expect.objectContaining({ code: 'GATE_FILE_INVALID' }));
    expect(() => gateFileFor(run, { home: null }, 'pr')).toThrow(/--profile pr .* a single run was named/);
  });
});

describe('the gate.yaml of a folder of kept runs', () => {
  it('is said not to be there, since nothing is demanded then', () => {
    const { file, said } = gateFileFor(home, { home });
    expect(file).toEqual(NO_GATE_FILE);
    expect(said).toMatch(/gate\.yaml is not there, so no coverage is demanded$/);
  });
});
