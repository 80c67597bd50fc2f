import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../src/errors.ts';
import type { CiName } from './ci-names.ts';
import { refusedInit } from './init-error.ts';

/** What of a package.json matters here. */
export interface NodePackage {
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly hasKilldrill: boolean;
}

/** A project as it is found. */
export interface Project {
  /** As it was given. */
  readonly folder: string;
  /** Null where there is no package.json. */
  readonly node: NodePackage | null;
  /** What says which Python packages the fleet needs; null where nothing does. */
  readonly pythonFile: 'requirements.txt' | 'pyproject.toml' | null;
  /** The lock file of the package manager; null without one. */
  readonly lockFile: string | null;
  /** Each CI that something speaks for, with what does. */
  readonly ci: readonly { readonly name: Exclude<CiName, 'none'>; readonly because: string }[];
  /** The repository that the folder is a part of, and its path from there; null when it is the root itself, or in none. */
  readonly repository: { readonly root: string; readonly pathInIt: string } | null;
}

const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'] as const;
const PYTHON_FILES = ['requirements.txt', 'pyproject.toml'] as const;
const MOST_BYTES = 1_048_576;

const words = z.record(z.string(), z.string());
const packageSchema = z.object({
  scripts: words.default({}),
  bin: z.union([z.string(), words]).default({}),
  dependencies: words.default({}),
  devDependencies: words.default({}),
  optionalDependencies: words.default({}),
});

/**
 * Looks at a project: what it is written in, and what drills it where it is kept.
 *
 * @throws KilldrillError `USAGE` when there is no such folder, or its package.json cannot be read
 */
export function readProject(folder: string): Project {
  const facts = statSync(folder, { throwIfNoEntry: false });
  if (facts === undefined)
    throw refusedInit(`there is no folder '${folder}'; expected the project's, so make it first`);
  if (!facts.isDirectory()) throw refusedInit(`'${folder}' is no folder; expected the project's`);
  const isThere = (name: string): boolean => existsSync(join(folder, name));
  return {
    folder,
    node: isThere('package.json') ? readPackage(join(folder, 'package.json')) : null,
    pythonFile: PYTHON_FILES.find(isThere) ?? null,
    lockFile: LOCK_FILES.find(isThere) ?? null,
    ci: findCi(folder, isThere),
    repository: repositoryAbove(realpathSync(folder)),
  };
}

/** `.git` is a file in a work tree and in a submodule. */
function repositoryAbove(folder: string): Project['repository'] {
  if (existsSync(join(folder, '.git'))) return null;
  for (let above = dirname(folder), below = folder; above !== below; below = above, above = dirname(above))
    if (existsSync(join(above, '.git'))) return { root: above, pathInIt: relative(above, folder) };
  return null;
}

function readPackage(path: string): NodePackage {
  let json: unknown;
  try {
    json = JSON.parse(readSmall(path));
  } catch (cause) {
    throw refusedInit(
      `${path} cannot be read (${messageOf(cause)}); expected the JSON of a Node package, mend it first`,
      cause,
    );
  }
  const read = packageSchema.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    throw refusedInit(`${path} is no package.json (${where}${issue?.message ?? 'wrong'}); mend it first`);
  }
  const { scripts, bin, dependencies, devDependencies, optionalDependencies } = read.data;
  return {
    scripts,
    bin: typeof bin === 'string' ? {} : bin,
    hasKilldrill: [dependencies, devDependencies, optionalDependencies].some((some) => 'killdrill' in some),
  };
}

function findCi(folder: string, isThere: (name: string) => boolean): Project['ci'] {
  const hosts = remoteHosts(join(folder, '.git', 'config'));
  const signs = [
    { name: 'github', file: '.github' },
    { name: 'gitlab', file: '.gitlab-ci.yml' },
  ] as const;
  return signs.flatMap(({ name, file }) => {
    if (isThere(file)) return [{ name, because: file }];
    const host = hosts.find((one) => one.includes(name));
    return host === undefined ? [] : [{ name, because: `a git remote at ${host}` }];
  });
}

/** Hosts of a repository's remotes; none where its configuration cannot be read, since it only saves a flag. */
function remoteHosts(path: string): readonly string[] {
  try {
    const urls = readSmall(path).matchAll(/^\s*url\s*=\s*(?:[a-z+]+:\/\/)?(?:[^@/\s]+@)?(?<host>[^/:\s]+)[/:]/gim);
    return Array.from(urls, ({ groups }) => groups?.['host']?.toLowerCase() ?? '');
  } catch {
    return [];
  }
}

/** Asked before it is opened: opening a pipe waits for somebody who writes. Neither file is ever large. */
function readSmall(path: string): string {
  const facts = statSync(path);
  if (!facts.isFile()) throw new Error('it is no ordinary file');
  if (facts.size > MOST_BYTES) throw new Error(`it has ${facts.size} bytes, over the ${MOST_BYTES} allowed`);
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
}
