import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drilledBy } from '../../../harness/evidence/drilled-by.ts';
import { projectState } from '../../../harness/evidence/project-state.ts';

describe('who drilled', () => {
  const login = (): string => 'somebody';

  it('is who was named, else whom the CI names, else the login', () => {
    const variables = { GITHUB_ACTOR: 'octo', CI: 'true' };
    expect(drilledBy('the night shift', variables, login)).toEqual({ name: 'the night shift', toldBy: '--by' });
    expect(drilledBy(undefined, variables, login)).toEqual({ name: 'octo', toldBy: 'GITHUB_ACTOR' });
    const again = { ...variables, GITHUB_TRIGGERING_ACTOR: 'hubot' };
    expect(drilledBy(undefined, again, login)).toEqual({ name: 'hubot', toldBy: 'GITHUB_TRIGGERING_ACTOR' });
    expect(drilledBy(undefined, { GITLAB_USER_LOGIN: 'tanuki' }, login)).toEqual({
      name: 'tanuki',
      toldBy: 'GITLAB_USER_LOGIN',
    });
    expect(drilledBy(undefined, { CI: 'false' }, login)).toEqual({ name: 'somebody', toldBy: 'the login' });
  });

  it('is not told where nobody told: the login of a CI machine is nobody', () => {
    const nobody = { name: null, toldBy: 'not told' };
    expect(drilledBy(undefined, { CI: 'true', GITHUB_ACTOR: ' ' }, login)).toEqual(nobody);
    expect(drilledBy(undefined, {}, () => null)).toEqual(nobody);
  });
});

describe('what was checked out', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'killdrill-project-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const git = (...words: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...words], {
      cwd: folder,
      stdio: 'pipe',
    }).toString();

  it('is the commit, and whether anything but bundles was changed', async () => {
    git('init', '-q');
    expect(await projectState(folder, 'reports')).toEqual({
      commit: null,
      dirty: null,
      unknownBecause: 'the repository has no commit yet',
    });
    writeFileSync(join(folder, 'worker.js'), '');
    git('add', '-A');
    git('commit', '-q', '-m', 'x');
    const commit = git('rev-parse', 'HEAD').trim();
    expect(await projectState(folder, 'reports')).toEqual({ commit, dirty: false, unknownBecause: null });
    mkdirSync(join(folder, 'reports', 'run'), { recursive: true });
    writeFileSync(join(folder, 'reports', 'run', 'verdict.json'), '{}');
    expect(await projectState(folder, join(folder, 'reports'))).toMatchObject({ dirty: false });
    expect(await projectState(folder, '../elsewhere')).toMatchObject({ dirty: true });
    writeFileSync(join(folder, 'worker.js'), 'changed');
    expect(await projectState(folder, 'reports')).toMatchObject({ commit, dirty: true });
  });

  it('is not known outside of a repository', async () => {
    expect(await projectState(folder, 'reports')).toEqual({
      commit: null,
      dirty: null,
      unknownBecause: 'the drill was not run from a git repository',
    });
  });
});
