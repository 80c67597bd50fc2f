import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseCi } from '../../../harness/init/choose-ci.ts';
import { commandWords } from '../../../harness/init/command-words.ts';
import { findFleet } from '../../../harness/init/find-fleet.ts';
import { readProject } from '../../../harness/init/read-project.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-init-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function has(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return readProject(folder);
}

describe('the words of a command', () => {
  it.each([
    ['node worker.js', ['node', 'worker.js']],
    [`  node "my worker.js" --name='a b'c `, ['node', 'my worker.js', '--name=a bc']],
    [`node ''`, ['node', '']],
  ])('of %j are what a shell makes of it', (line, words) => {
    expect(commandWords(line)).toEqual({ words });
  });

  it.each([
    ['', 'no command'],
    [`''`, 'no command'],
    ['node a | tee b', "'|' at character 8"],
    ['node "a', 'a quote that is not closed at character 6'],
    ['node $HOME', "'$' at character 6"],
    ['node a\\ b', "'\\' at character 7"],
  ])('of %j are none: it says what was found', (line, found) => {
    expect(commandWords(line)).toEqual({ found });
  });
});

describe('the fleet of a project', () => {
  const guessed = (files: Readonly<Record<string, string>>) => findFleet(has(files), null);
  const script = (scripts: Readonly<Record<string, string>>, bin = {}) =>
    guessed({ 'package.json': JSON.stringify({ scripts, bin }) });

  it('is the likeliest script or bin of package.json, as its own words where it needs no shell', () => {
    expect(script({ start: 'node server.js', worker: 'node "a b.js"' })).toEqual({
      command: ['node', 'a b.js'],
      guessedFrom: "the script 'worker' of package.json",
    });
    expect(script({ worker: 'tsx worker.ts' }).command).toEqual(['npm', 'run', '--silent', 'worker']);
    expect(script({ start: 'A=1 node worker.js && true' }).command).toEqual(['npm', 'run', '--silent', 'start']);
    expect(script({ start: 'node server.js' }, { agent: 'agent.js' }).command).toEqual(['node', 'agent.js']);
  });

  it("is a Python worker, or else killdrill's own", () => {
    expect(guessed({ 'pyproject.toml': '', 'worker.py': '' })).toEqual({
      command: ['python3', 'worker.py'],
      guessedFrom: 'worker.py',
    });
    rmSync(join(folder, 'worker.py'));
    expect(guessed({ 'package.json': '{}' })).toEqual({ command: null, guessedFrom: null });
  });

  it('is what somebody says, before any guess', () => {
    const project = has({ 'worker.py': '' });
    expect(findFleet(project, 'node x.js')).toEqual({ command: ['node', 'x.js'], guessedFrom: null });
    expect(() => findFleet(project, 'node x.js; rm y')).toThrow(
      /--fleet is .*found ';' at character 10.*nothing was written/,
    );
  });
});

describe('the CI of a project', () => {
  const git = (url: string) => ({ '.git/config': `[remote "origin"]\n\turl = ${url}\n\tfetch = x\n` });

  it.each([
    ['github', { '.github/CODEOWNERS': '' }, '.github'],
    ['gitlab', { '.gitlab-ci.yml': '' }, '.gitlab-ci.yml'],
    ['github', git('git@github.com:me/mine.git'), 'a git remote at github.com'],
    ['gitlab', git('https://token@gitlab.example.com:8443/me/mine.git'), 'a git remote at gitlab.example.com'],
    ['gitlab', git('ssh://git@gitlab.example.com/me/github.git'), 'a git remote at gitlab.example.com'],
  ])('is %s by %j', (name, files, because) => {
    expect(has(files).ci).toEqual([{ name, because }]);
  });

  it('may be none or two, which is for somebody else to decide', () => {
    expect(has(git('git@example.com:me/github.git')).ci).toEqual([]);
    expect(has({ '.gitlab-ci.yml': '', ...git('git@github.com:me/mine.git') }).ci).toHaveLength(2);
  });
});

describe('a project that is a part of a repository', () => {
  const inApp = (files: Readonly<Record<string, string>>) => {
    has({ ...files, 'my/app/worker.py': '' });
    return readProject(join(folder, 'my/app'));
  };

  it.each([[{ '.git/HEAD': '' }], [{ '.git': 'gitdir: elsewhere' }]])('knows its root (%j)', (git) => {
    const { repository } = inApp(git);
    expect(repository).toEqual({ root: realpathSync(folder), pathInIt: 'my/app' });
    expect(inApp({ 'my/app/.git': '' }).repository).toBe(null); // a submodule
    expect(readProject(folder).repository).toBe(null);
  });

  it('knows it behind a link as well', () => {
    inApp({ '.git/HEAD': '' });
    symlinkSync(join(folder, 'my/app'), join(folder, 'my/link'));
    expect(readProject(join(folder, 'my/link')).repository?.pathInIt).toBe('my/app');
  });

  it('gets no CI file, since none is read there', () => {
    const project = inApp({ '.git/HEAD': '', 'my/app/.github/CODEOWNERS': '' });
    expect(chooseCi(project, undefined)).toEqual({
      name: 'none',
      because: expect.stringMatching(
        /the root of the repository, which is '.*'; run init there, or add a step .*'folder: my\/app'/,
      ),
    });
    expect(() => chooseCi(project, 'github')).toThrow(
      `is in the repository '${realpathSync(folder)}'; run init there, or add a step with killdrill's action and 'folder: my/app'`,
    );
    expect(() => chooseCi(project, 'gitlab')).toThrow(/GitLab reads nothing.*'cd my\/app' first.*nothing was written$/);
    expect(chooseCi(project, 'none').name).toBe('none');
  });
});

describe('the CI that gets a file', () => {
  it('is the one that was asked for, or the only one; of none and of two it says so', () => {
    const project = has({ '.git/HEAD': '', '.github/CODEOWNERS': '' });
    expect(chooseCi(project, undefined)).toEqual({ name: 'github', because: '.github' });
    expect(chooseCi(project, 'gitlab')).toEqual({ name: 'gitlab', because: '--ci gitlab' });
    expect(chooseCi({ ...project, ci: [] }, undefined).because).toBe(
      'nothing says which there is; say --ci github, gitlab or none',
    );
    expect(chooseCi(has({ '.gitlab-ci.yml': '' }), undefined)).toEqual({
      name: 'none',
      because: 'there is more than one: .github and .gitlab-ci.yml; say --ci github, gitlab or none',
    });
  });
});

describe('a project with killdrill', () => {
  it.each(['dependencies', 'devDependencies', 'optionalDependencies'])('has it among its %s', (kind) => {
    const text = JSON.stringify({ [kind]: { killdrill: 'file:killdrill.tgz' } });
    expect(has({ 'package.json': text }).node?.hasKilldrill).toBe(true);
    expect(has({ 'package.json': text.replace(/"killdrill"/, '"other"') }).node?.hasKilldrill).toBe(false);
  });
});

describe('a project that cannot be read', () => {
  it.each([
    ['{', /package\.json cannot be read \(.*JSON.*mend it first; nothing was written/],
    ['[]', /is no package\.json/],
    ['{"scripts":{"a":1}}', /is no package\.json \(scripts\.a: .*expected string/],
    ['"\u0000'.repeat(600_000), /1200000 bytes, over the 1048576 allowed/],
  ])('says so of a package.json (%#)', (text, sentence) => {
    expect(() => has({ 'package.json': text })).toThrow(sentence);
    expect(() => readProject(folder)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });

  it('says so of one that would never end, of no folder, and of a file', () => {
    execFileSync('mkfifo', [join(folder, 'package.json')]);
    expect(() => readProject(folder)).toThrow(/it is no ordinary file/);
    expect(() => readProject(join(folder, 'gone'))).toThrow(/there is no folder '.*gone'; expected the project's/);
    writeFileSync(join(folder, 'file'), '');
    expect(() => readProject(join(folder, 'file'))).toThrow(/is no folder/);
  });
});
