import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { nextSteps } from '../../../harness/init/next-steps.ts';
import { CI_FILES, FIRST_GATE, FIRST_SCENARIO, planFiles } from '../../../harness/init/plan-files.ts';
import type { Project } from '../../../harness/init/read-project.ts';
import { placeFiles, writeFiles } from '../../../harness/init/write-files.ts';
import { PROPERTY_NAMES } from '../../../harness/checkers/registry.ts';
import { readGateFile } from '../../../harness/regression/gate-file.ts';
import { loadScenario } from '../../../harness/scenario/load.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-init-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SIMULATED = { command: null, guessedFrom: null };
const plain = (): Project => ({ folder, node: null, pythonFile: null, lockFile: null, ci: [], repository: null });
const node = (lockFile: string | null, hasKilldrill = false): Project => ({
  ...plain(),
  node: { scripts: {}, bin: {}, hasKilldrill },
  lockFile,
});
const written = (project: Project, ci: 'github' | 'gitlab'): string =>
  planFiles(project, SIMULATED, ci).find(({ path }) => path === CI_FILES[ci])?.text ?? '';

function put(...args: Parameters<typeof planFiles>) {
  const files = placeFiles(folder, planFiles(...args));
  writeFiles(folder, files);
  return files;
}

describe('what init writes', () => {
  it('is a scenario and a gate.yaml that can be read, whatever the words of the fleet', () => {
    const command = ['node', 'my "worker".js', '--x: #1', 'null', '- a', '\u00e9'.repeat(500)];
    put(plain(), { command, guessedFrom: null }, 'none');
    expect(loadScenario(join(folder, FIRST_SCENARIO), PROPERTY_NAMES).fleet.command).toEqual(command);
    const { profiles, coverage } = readGateFile(join(folder, FIRST_GATE));
    expect([...profiles.keys()]).toEqual(['pr', 'nightly']);
    expect(coverage).toEqual([{ scope: 'tenant', mode: 'halt_all', path: 'postgres' }]);
  });

  it('says of a guess that it is one, and of the simulated fleet what to put in its place', () => {
    const text = (command: readonly string[] | null, guessedFrom: string | null) =>
      planFiles(plain(), { command, guessedFrom }, 'none')[0]?.text;
    expect(text(null, null)).toMatch(/simulated fleet.*\n#.*command: \[node, worker\.js\]/);
    expect(text(['node', 'a.js'], 'here')).toMatch(/^# Guessed\./m);
    expect(text(['node', 'a.js'], null)).not.toContain('Guessed');
  });

  it('refuses a command that no scenario can have', () => {
    const command = Array.from({ length: 65 }, () => 'a');
    expect(() => planFiles(plain(), { command, guessedFrom: null }, 'none')).toThrow(
      /^--fleet is \["a",.*which no scenario can have.*1 to 64 words.*; nothing was written$/,
    );
    const guessed = { command: ['node', ''], guessedFrom: "the script 'worker' of package.json" };
    expect(() => planFiles(plain(), guessed, 'none')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringMatching(
          /^the fleet's command, guessed from the script 'worker' of package\.json, is \["node",""\], which (?!.*first-stop).* --fleet; nothing was written$/,
        ) as string,
      }) as Error,
    );
  });

  it('installs by the lock file, by package.json, or killdrill alone, and what Python needs', () => {
    expect(written(node('package-lock.json'), 'github')).toMatch(/^ {10}npm ci$/m);
    expect(written(node(null), 'gitlab')).toMatch(/^ {4}- npm install$/m);
    expect(written(plain(), 'github')).toMatch(/^ {10}npm install --no-save \.\/killdrill-\d+\.\d+\.\d+\.tgz$/m);
    const python = { ...plain(), pythonFile: 'requirements.txt' } as const;
    expect(written(python, 'github')).toMatch(/python3 -m pip install -r requirements\.txt$/m);
    const { jobs } = parse(written(python, 'github')) as { jobs: { gate: { steps: { uses?: string }[] } } };
    expect(jobs.gate.steps.map(({ uses = 'run' }) => uses.replace(/@.*/, ''))).toEqual([
      'actions/checkout',
      'actions/setup-node',
      'actions/setup-python',
      'run',
      './node_modules/killdrill',
    ]);
    expect(written({ ...python, pythonFile: 'pyproject.toml' }, 'gitlab')).toMatch(/--break-system-packages \.$/m);
    for (const { uses } of jobs.gate.steps) expect(uses ?? './').toMatch(/^\.\/|@[0-9a-f]{40}$/);
  });
});

describe('what is there', () => {
  it('is left as it is, also a link that leads nowhere', () => {
    mkdirSync(join(folder, 'scenarios/regressions'), { recursive: true });
    writeFileSync(join(folder, FIRST_SCENARIO), 'mine');
    symlinkSync(join(folder, 'nowhere'), join(folder, FIRST_GATE));
    const files = put(plain(), SIMULATED, 'gitlab');
    expect(files.map(({ isThere }) => isThere)).toEqual([true, true, false]);
    expect(readFileSync(join(folder, FIRST_SCENARIO), 'utf8')).toBe('mine');
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
    const again = put(plain(), SIMULATED, 'gitlab');
    expect(again.every(({ isThere }) => isThere)).toBe(true);
  });
});

describe('what cannot be written', () => {
  it.each([
    [
      'a file where a folder has to be',
      () => writeFileSync(join(folder, '.github'), ''),
      /\.github.*cannot be written/,
    ],
    [
      'a folder where a file has to be',
      () => mkdirSync(join(folder, CI_FILES.github), { recursive: true }),
      /a folder is in its place/,
    ],
  ])('is found before anything is written: %s', (_, spoil, sentence) => {
    spoil();
    const before = readdirSync(folder, { recursive: true });
    expect(() => put(plain(), SIMULATED, 'github')).toThrow(sentence);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  it('takes back what was written before it, and leaves what others put there meanwhile', () => {
    const files = placeFiles(folder, planFiles(plain(), SIMULATED, 'github'));
    mkdirSync(join(folder, '.github/workflows'), { recursive: true });
    writeFileSync(join(folder, CI_FILES.github), 'theirs');
    expect(() => writeFiles(folder, files)).toThrow(/EEXIST.*nothing was written/);
    expect(readdirSync(folder)).toEqual(['.github']);
    expect(readFileSync(join(folder, CI_FILES.github), 'utf8')).toBe('theirs');
  });

  it('is nothing in a folder that is only to be read, or for root only looks as if it could be written to', () => {
    const files = planFiles(plain(), SIMULATED, 'none');
    expect(() => writeFiles('/proc', placeFiles('/proc', files))).toThrow(/\/proc\/scenarios.*nothing was written/);
  });
});

describe('what comes next', () => {
  const said = (project: Project, ci: 'github' | 'gitlab' | 'none', isThere = false): string =>
    nextSteps(
      project,
      ci,
      planFiles(project, SIMULATED, ci).map((file) => ({ ...file, isThere })),
    )
      .map(({ what, command }) => `${what} ${command ?? ''}`)
      .join('\n');

  it('is validate, run, promote and gate, in this order', () => {
    expect(said(plain(), 'github')).toMatch(/validate[^]*run scenarios[^]*promote[^]*gate --profile pr[^]*commit/);
    expect(said({ ...plain(), folder: "it's" }, 'none')).toContain(`cd 'it'\\''s'`);
  });

  it('names nothing that is not there, and nothing that a registry would give by name', () => {
    expect(said(node(null, true), 'none')).toMatch(
      /commit scenarios\/, and have git ignore reports\/ and killdrill-reports\/ $/,
    );
    expect(said(node(null, true), 'gitlab')).toContain('commit scenarios/ and killdrill.gitlab-ci.yml, and');
    for (const ci of ['github', 'gitlab'] as const)
      expect(said(plain(), ci) + said(node(null), ci) + written(plain(), ci)).not.toMatch(
        /npm (?:install|i) .*(?<!\.\/)\bkilldrill|npx killdrill/,
      );
  });

  it('names what the project lacks', () => {
    expect(said(node(null), 'github')).toMatch(
      /npm pack[^]*npm install --save-dev --save-exact \.\/killdrill-\d[^]*commit scenarios\/, killdrill-\d\S*tgz, package/,
    );
    expect(said(plain(), 'github')).toMatch(
      /npm pack[^]*npm install --no-save \.\/killdrill-\d[^]* and node_modules\//,
    );
    expect(said(node(null, true), 'github')).not.toMatch(/npm (?:install|pack)/);
    expect(said(node('pnpm-lock.yaml'), 'github')).toContain('there is a pnpm-lock.yaml');
    expect(said(plain(), 'gitlab')).toContain('include: [{ local: killdrill.gitlab-ci.yml }]');
    expect(said(plain(), 'github', true)).toContain('has the profiles pr and nightly');
  });
});
