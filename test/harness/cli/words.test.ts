import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf, InterruptedError } from '../../../harness/cli/exit.ts';
import { scenarioPath, shippedNames } from '../../../harness/cli/find-scenario.ts';
import { buildProgram } from '../../../harness/cli/program.ts';
import { prepareInto, prepareOut } from '../../../harness/cli/prepare-out.ts';
import { resolveReporters } from '../../../harness/cli/reporters.ts';
import { wholeNumber } from '../../../harness/cli/whole-number.ts';
import { KilldrillError } from '../../../src/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-words-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a whole number of a flag', () => {
  it.each(['', ' 1', '1.5', '0x10', '1e3', '-1', '+1', '11', 'x', '99999999999999999999'])('is not %j', (text) => {
    expect(() => wholeNumber('--n', text, { min: 0, max: 10 })).toThrow(
      `--n is '${text}'; expected a whole number from 0 to 10`,
    );
  });

  it('is plain digits within the range, both ends included', () => {
    expect(['0', '10', '007'].map((text) => wholeNumber('--n', text, { min: 0, max: 10 }))).toEqual([0, 10, 7]);
  });
});

describe('reporters', () => {
  it('are the terminal unless something is named', () => {
    expect(resolveReporters({ reporter: [] })).toEqual([{ name: 'terminal', file: null }]);
    expect(resolveReporters({ reporter: [], json: true })).toEqual([{ name: 'json', file: null }]);
    expect(resolveReporters({ reporter: ['json'], json: true })).toEqual([{ name: 'json', file: null }]);
  });

  it('may be several, of which one has stdout', () => {
    expect(resolveReporters({ reporter: ['json=a=b.json', 'terminal'] })).toEqual([
      { name: 'json', file: 'a=b.json' },
      { name: 'terminal', file: null },
    ]);
    expect(() => resolveReporters({ reporter: ['terminal'], json: true })).toThrow(/two reporters write to stdout/);
  });
});

describe("a bundle's folder", () => {
  it('is made with all above it, and may be there already', () => {
    const out = join(folder, 'a/b/c');
    prepareOut(out);
    prepareOut(out);
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['c']);
  });

  it.each([0o644, 0o755])('is no file, executable or not: %o', (mode) => {
    const path = join(folder, `file-${mode}`);
    writeFileSync(path, '', { mode });
    expect(() => prepareOut(path)).toThrow(/^--out is .*: there is a file in its place; name another folder/);
  });

  it.each(['/dev/null/x', '/proc/x/y', '/proc/x'])('is refused when nothing can be made there: %s', (path) => {
    expect(() => prepareOut(path)).toThrow(/^--out is .*name another folder/);
  });
});

describe('the new folder of --into', () => {
  it('is shown to be possible, and left to be made', () => {
    prepareInto(join(folder, 'into/b/c'));
    expect(readdirSync(join(folder, 'into/b'))).toEqual([]);
  });

  it.each(['/dev/null/x', '/proc/x/y', '/proc/x'])('is refused when nothing can be made there: %s', (path) => {
    expect(() => prepareInto(path)).toThrow(/^--into is .* cannot be made: .*name another folder/);
  });

  it('is refused when it is there', () => {
    expect(() => prepareInto(folder)).toThrow(/is there already, and nothing is overwritten; name a new folder/);
  });
});

describe('a scenario', () => {
  it('is a path when it looks like one, and a shipped name otherwise', () => {
    expect(scenarioPath('./x')).toBe('./x');
    expect(scenarioPath('x.yml')).toBe('x.yml');
    expect(scenarioPath('tenant-halt')).toMatch(/scenarios[/\\]tenant-halt\.yaml$/);
    expect(() => scenarioPath('x')).toThrow(shippedNames().join(', '));
  });
});

describe('help', () => {
  it('marks the options that have to be given, and no others', () => {
    const program = buildProgram(() => undefined);
    const marked = (name: string, part?: string): readonly string[] => {
      const command = program.commands.find((one) => one.name() === name);
      const found = part === undefined ? command : command?.commands.find((one) => one.name() === part);
      const help = (found?.helpInformation() ?? '').replaceAll(/\n {10,}/g, ' ').split('\n');
      return help.filter((line) => line.endsWith('(required)')).map((line) => line.trim().split(' ')[0] ?? '');
    };
    expect(marked('promote')).toEqual(['--name']);
    expect(marked('import')).toEqual(['--flips', '--mapping', '--out']);
    expect([marked('keys', 'make'), marked('keys', 'show')]).toEqual([['--right'], ['--right']]);
    expect(marked('run')).toEqual([]);
  });

  it('fits 80 columns, of every command', () => {
    const program = buildProgram(() => undefined);
    const texts = [program, ...program.commands].map((command) => {
      let text = '';
      command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 }).outputHelp();
      return text;
    });
    expect(texts[0]).toContain('143  terminated');
    expect(texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 80)).toEqual([]);
  });
});

describe('exit codes', () => {
  it('tell bad usage, an interruption and a failure apart', () => {
    expect(exitCodeOf(new KilldrillError('USAGE', ''))).toBe(EXIT.usage);
    expect(exitCodeOf(new KilldrillError('SCENARIO_INVALID', ''))).toBe(EXIT.usage);
    expect(exitCodeOf(new InterruptedError('SIGINT'))).toBe(130);
    expect(exitCodeOf(new InterruptedError('SIGTERM'))).toBe(143);
    expect(exitCodeOf(new KilldrillError('POSTGRES_MISSING', ''))).toBe(EXIT.error);
    expect(exitCodeOf('anything')).toBe(EXIT.error);
  });
});
