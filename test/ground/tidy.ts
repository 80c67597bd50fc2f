import ts from 'typescript';

/** A file of the project, its path from the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A house rule that the linter cannot tell: what of a file breaks it, one sentence each. */
export interface TidyRule {
  readonly name: string;
  readonly find: (file: SourceFile) => readonly string[];
}

// put together here, so that this file does not hold what it looks for
const REGISTRY_HOSTS = new RegExp(
  ['registry\\.[a-z0-9-]+\\.(?:org|com|io|dev)', 'npm' + 'js\\.(?:org|com)', 'yarn' + 'pkg', 'pypi' + '\\.org'].join(
    '|',
  ),
  'i',
);
const MACHINE_PATHS = new RegExp(
  ['/work/(?:main|shared|\\.)', '(?<![\\w.])/' + 'root\\b', '/' + 'home/\\w', '/' + 'Users/\\w'].join('|'),
);
/** `git@` is everybody's name at a remote, and `example.com` is nobody's. */
const MAIL = /(?<![\w.+-])(?!git@)[\w.+-]+@(?!(?:[a-z0-9-]+\.)*example\.)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b/i;
const BYLINE = new RegExp('@' + 'author\\b|(?:TODO|FIXME|XXX)\\([a-z]', 'i');
const VAGUE = /^(?:utils?|helpers?|common|misc)$/i;

/** The rules, each with a planted violation in tidy.test.ts. */
export const TIDY_RULES: readonly TidyRule[] = [
  { name: 'no file or folder is named for nothing', find: ({ path }) => path.split('/').filter(isVague) },
  { name: 'no registry host', find: ({ path, text }) => (isTheLock(path) ? [] : linesWith(text, REGISTRY_HOSTS)) },
  { name: 'no path of one machine', find: ({ text }) => linesWith(text, MACHINE_PATHS) },
  { name: 'no person', find: ({ path, text }) => (isTheLock(path) ? [] : linesWith(text, MAIL, BYLINE)) },
  { name: 'a silenced rule says why', find: ({ path, text }) => (isCode(path) ? unexplained(text) : []) },
  { name: 'src/ makes no date of its own', find: (file) => (readsNoClock(file.path) ? datesOfNow(file) : []) },
  { name: 'exact versions', find: ({ path, text }) => (path === 'package.json' ? inexactVersions(text) : []) },
  {
    name: 'the lock names no registry',
    find: ({ path, text }) => (isTheLock(path) ? linesWith(text, /"resolved":/) : []),
  },
  { name: 'the lock is whole', find: ({ path, text }) => (isTheLock(path) ? notLocked(text) : []) },
];

/** What the compiler refuses because it cannot be erased: enums, namespaces, parameter properties. */
export function notErasable(text: string, options: ts.CompilerOptions): readonly string[] {
  const path = 'planted.ts';
  const host = ts.createCompilerHost({ ...options, noLib: true, types: [] });
  const parsed = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023);
  const program = ts.createProgram(
    [path],
    { ...options, noLib: true, types: [] },
    { ...host, getSourceFile: () => parsed },
  );
  const found = program.getSemanticDiagnostics(parsed).filter(({ code }) => code === NOT_ERASABLE);
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

const NOT_ERASABLE = 1294;

function isTheLock(path: string): boolean {
  return path === 'package-lock.json';
}

function isCode(path: string): boolean {
  return /\.(?:ts|js|mjs)$/.test(path);
}

function readsNoClock(path: string): boolean {
  return path.startsWith('src/') && path !== 'src/clock.ts' && isCode(path);
}

function isVague(segment: string): boolean {
  return VAGUE.test(segment.replace(/(?:\.[a-z]+)+$/, ''));
}

function linesWith(text: string, ...patterns: readonly RegExp[]): readonly string[] {
  return text
    .split('\n')
    .map((line, index) => `line ${index + 1}: ${line.trim().slice(0, 120)}`)
    .filter((line) => patterns.some((pattern) => pattern.test(line)));
}

function unexplained(text: string): readonly string[] {
  return linesWith(
    text,
    /(?:ox|es)lint-(?:disable)(?!.* -- \w)/,
    /@ts-(?:ignore|nocheck)/,
    /prettier-(?:ignore)(?!.* -- \w)/,
  );
}

function datesOfNow({ path, text }: SourceFile): readonly string[] {
  const found: string[] = [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const visit = (node: ts.Node): void => {
    const isBare = ts.isNewExpression(node) ? (node.arguments?.length ?? 0) === 0 : ts.isCallExpression(node);
    if (isBare && 'expression' in node && (node.expression as ts.Node).getText() === 'Date')
      found.push(`line ${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${node.getText()}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function inexactVersions(text: string): readonly string[] {
  const manifest = JSON.parse(text) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
  const all = kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
  return all.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)).map((pair) => pair.join(' '));
}

/** A registry that lacks a package for another platform leaves it out of the lock without a word, and `npm ci` then fails. */
function notLocked(text: string): readonly string[] {
  const { packages } = JSON.parse(text) as {
    packages: Readonly<Record<string, Readonly<Record<string, object | undefined>>>>;
  };
  const locked = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  const optional = Object.values(packages).flatMap((one) => Object.keys(one['optionalDependencies'] ?? {}));
  return optional.filter((name) => !locked.has(name));
}
