import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { TIDY_RULES, notErasable } from './tidy.ts';
import type { SourceFile } from './tidy.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What is not the project's own text, from the root. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'reports', 'coverage', '.git', 'LICENSE']);
const TEXT = /\.(?:ts|js|mjs|json|md|ya?ml|sql|sh)$|^[^.]+$|^\.[a-z]+(?:rc|ignore)?$/;

// put together, so that this file passes its own rules
const HOST = 'https://registry.' + 'example.org/killdrill';
const HOME = '/' + 'home/someone/killdrill';
const MAIL = 'someone' + '@' + 'somewhere.org';
const RULE = 'oxlint-' + 'disable-next-line no-var';

/** For each rule a file that breaks it, and one that comes near and is in order. */
const PLANTED: Readonly<Record<string, { readonly bad: readonly SourceFile[]; readonly good: readonly SourceFile[] }>> =
  {
    'no file or folder is named for nothing': {
      bad: [at('src/utils.ts'), at('harness/helpers/one.ts'), at('test/common.test.ts'), at('docs/misc.md')],
      good: [at('src/utilisation.ts'), at('docs/misconceptions.md'), at('harness/common-cause.ts')],
    },
    'no registry host': {
      bad: [at('README.md', HOST)],
      good: [at('src/one.ts', "import { Registry } from './registry.ts';"), at('a.md', 'http://127.0.0.1:80/registry')],
    },
    'no path of one machine': {
      bad: [
        at('.ci/run', `cd ${HOME}`),
        at('docs/one.md', 'see ' + '/' + 'root/.profile'),
        at('a.ts', '/work/' + 'main'),
      ],
      good: [at('a.ts', '`${world}/work`; "/homework"; "/tmp/kd-1"'), at('a.md', 'the project/' + 'root')],
    },
    'no person': {
      bad: [
        at('a.md', MAIL),
        at('src/a.ts', '// TODO' + '(someone): later'),
        at('src/b.ts', '/** @' + 'author Some One */'),
      ],
      good: [
        at(
          'a.md',
          'someone@example.com, git@github.com:me/mine.git, https://token@host.example.com, npm i killdrill@1.2.3, @types/node@20.19.43',
        ),
      ],
    },
    'a silenced rule says why': {
      bad: [
        at('a.ts', `// ${RULE}`),
        at('a.ts', `// ${RULE} --`),
        at('a.ts', '// @ts-' + 'ignore'),
        at('a.ts', '// eslint-' + 'disable'),
      ],
      good: [at('a.ts', `// ${RULE} -- an old browser reads this`), at('a.md', RULE)],
    },
    'src/ makes no date of its own': {
      bad: [at('src/a.ts', 'export const at = new Date();'), at('src/a.ts', 'new Date'), at('src/a.ts', 'f(Date());')],
      good: [
        at('src/a.ts', 'new Date(clock.wallMs()).toISOString();'),
        at('src/clock.ts', 'new Date();'),
        at('harness/a.ts', 'new Date();'),
      ],
    },
    'exact versions': {
      bad: ['^1.2.3', '~1.2.3', '1.x', 'latest', '*', '>=1.2.3'].map((v) =>
        at('package.json', `{"devDependencies":{"a":"${v}"}}`),
      ),
      good: [at('package.json', '{"dependencies":{"a":"1.2.3"},"optionalDependencies":{"b":"18.4.0-beta.17"}}')],
    },
    'the lock names no registry': {
      bad: [at('package-lock.json', '{\n"resolved": "https://somewhere/a.tgz", "packages": {}\n}')],
      good: [at('package-lock.json', '{\n"version": "1.2.3", "packages": {}\n}')],
    },
    'the lock is whole': {
      bad: [
        at(
          'package-lock.json',
          '{"packages":{"node_modules/a":{"optionalDependencies":{"@a/linux":"1.0.0","@a/mac":"1.0.0"}},"node_modules/@a/linux":{}}}',
        ),
      ],
      good: [
        at(
          'package-lock.json',
          '{"packages":{"node_modules/a":{"optionalDependencies":{"@a/linux":"1.0.0"}},"node_modules/b/node_modules/@a/linux":{}}}',
        ),
      ],
    },
  };

function at(path: string, text = ''): SourceFile {
  return { path, text };
}

function ownFiles(): readonly SourceFile[] {
  return readdirSync(root)
    .filter((name) => !LEFT_OUT.has(name))
    .flatMap((name) => readdirSync(root, { withFileTypes: true }).filter((entry) => entry.name === name))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(root, entry.name)) : [join(root, entry.name)]))
    .filter((path) => TEXT.test(path.slice(path.lastIndexOf('/') + 1)))
    .map((path) => at(relative(root, path), readFileSync(path, 'utf8')));
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('the house rules beside the linter', () => {
  const files = ownFiles();

  it.each(TIDY_RULES)('hold in every file: $name', ({ find }) => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => find(file).map((what) => `${file.path}: ${what}`))).toEqual([]);
  });

  it.each(TIDY_RULES)('find what is planted, and only that: $name', ({ name, find }) => {
    const planted = PLANTED[name];
    expect(planted, `a planted violation for '${name}'`).toBeDefined();
    expect(planted?.bad.filter((file) => find(file).length === 0)).toEqual([]);
    expect(planted?.good.filter((file) => find(file).length > 0)).toEqual([]);
  });
});

describe('the compiler', () => {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')).config,
    ts.sys,
    root,
  );

  it.each([
    'enum E { A }',
    'const enum E { A }',
    'namespace N { export const a = 1; }',
    'class C { constructor(readonly a: number) {} }',
  ])('refuses %s', (text) => expect(notErasable(text, options)).toHaveLength(1));

  it('takes a union of literals', () => expect(notErasable("export type Mode = 'on' | 'off';", options)).toEqual([]));
});
