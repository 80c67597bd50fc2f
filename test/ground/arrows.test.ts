import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARROWS, HABITS } from './planted.ts';
import type { Planted } from './planted.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const OXLINT = join(project, 'node_modules/oxlint/bin/oxlint');
const IMPORTED = ['src', 'src/store', 'src/store/postgres', 'src/store/memory', 'harness', 'fleet-sim', 'test'];

/** Every file's findings, by its path. */
type Findings = ReadonlyMap<string, readonly string[]>;

let folder: string;
let findings: Findings;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killdrill-planted-'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
    await copyFile(join(project, file), join(folder, file));
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  for (const path of IMPORTED) await put(`${path}/one.ts`, 'export const one = 1;\nexport type One = 1;\n');
  await put('src/store/memory.ts', 'export const one = 1;\n');
  for (const { path, text } of [...ARROWS, ...HABITS]) await put(path, text);
  findings = await lint();
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function lint(): Promise<Findings> {
  const output = await new Promise<string>((resolve) => {
    const args = [OXLINT, '--format', 'json', 'src', 'harness', 'fleet-sim'];
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 1e8, timeout: 50_000 }, (_, stdout) => resolve(stdout));
  });
  const { diagnostics } = JSON.parse(output) as { diagnostics: readonly { filename: string; code: string }[] };
  const byFile = new Map<string, string[]>();
  for (const { filename, code } of diagnostics) byFile.set(filename, [...(byFile.get(filename) ?? []), code]);
  return byFile;
}

function expectFound({ path, rule }: Planted): void {
  const found = findings.get(path) ?? [];
  if (rule === null) expect(found).toEqual([]);
  else expect(found).toContain(rule);
}

describe('the arrows between the folders', () => {
  it.each(ARROWS)('$what', expectFound);
});

describe('the house rules in the linter', () => {
  it.each(HABITS)('$what', expectFound);
});
