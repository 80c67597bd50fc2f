import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../harness/bundle/open.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';
import type { Ended } from './workshop.ts';

const ESCAPE = '\u001b';
const COLOUR = new RegExp(`${ESCAPE}\\[\\d+m`);
const CLEAR_LINE = `\r${ESCAPE}[2K`;

let workshop: Workshop;
let scenario: string;
let quiet: Ended;
let bundle: string;

beforeAll(async () => {
  workshop = new Workshop();
  scenario = workshop.write('short.yaml', shortDrill({ hold: '3s' }));
  quiet = await workshop.run([
    'run',
    scenario,
    '--environment',
    'embedded',
    '-q',
    '--out',
    'out',
    '--reporter',
    'json=v.json',
    '--reporter',
    'terminal',
    '--reporter',
    'html=v.html',
    '--reporter',
    'junit=v.xml',
  ]);
  const [name = 'none'] = readdirSync(join(workshop.folder, 'out'));
  bundle = join(workshop.folder, 'out', name);
});
afterAll(() => workshop.close());

/** `"$@"` on a pseudo-terminal of 80 columns; both of its streams are the terminal. */
const onTerminal = (more: string): string =>
  `command=$(printf '%q ' "$@"); script -qec "stty cols 80; ${more} $command" /dev/null`;
const hasScript = spawnSync('bash', ['-c', 'script -qec true /dev/null']).status === 0;

describe('stdout is data and stderr is progress', () => {
  it('says nothing on stderr when quiet', () => {
    expect(quiet).toMatchObject({ code: 0, stderr: '' });
  });

  it('gives the verdict to several reporters at once', () => {
    const stored = readFileSync(join(bundle, 'verdict.json'), 'utf8');
    expect(readFileSync(join(workshop.folder, 'v.json'), 'utf8')).toBe(stored);
    expect(quiet.stdout).toMatch(/^Drill short, seed 42, on embedded\n/);
  });

  it('leaves a page and JUnit XML in the bundle, the same that reporters get, and both in its manifest', async () => {
    const { files } = await openBundle(bundle);
    expect(files).toEqual(expect.arrayContaining(['junit.xml', 'report.html']));
    const read = (file: string): string => readFileSync(file, 'utf8');
    expect(read(join(bundle, 'report.html'))).toContain('<title>pass: short');
    expect(read(join(workshop.folder, 'v.html'))).toBe(read(join(bundle, 'report.html')));
    expect(read(join(workshop.folder, 'v.xml'))).toBe(read(join(bundle, 'junit.xml')));
  });

  it('ends with the verdict and the command that reproduces it', () => {
    const { code } = quiet;
    expect(quiet.stdout).toMatch(/\nverdict: pass \(exit 0\)\nreproduce: killdrill run [^]* --seed 42 [^]*embedded\n$/);
    expect(code).toBe(0);
  });

  it('is plain and at most 80 columns wide in a pipe', async () => {
    const check = await workshop.run(['check', bundle]);
    for (const { stdout } of [quiet, check]) {
      expect(stdout).not.toContain(ESCAPE);
      expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes(workshop.folder))).toEqual([]);
    }
    expect(check.stderr).not.toContain(ESCAPE);
  });

  it('minds no reader that goes away', async () => {
    const cut = await workshop.shell('set -o pipefail; "$@" | head -c 10', ['check', bundle, '--json']);
    expect(cut).toMatchObject({ code: 0, stdout: '{\n  "versi' });
    expect(cut.stderr).not.toMatch(/EPIPE|\n\s+at /);
  });

  it('gives all of it to a reader that is slow', async () => {
    const slow = await workshop.shell('"$@" | { sleep 1; cat; }', ['check', bundle, '--json', '-q']);
    expect(slow.stdout).toBe(readFileSync(join(bundle, 'verdict.json'), 'utf8'));
  });

  it('ends with 4 and keeps the verdict when a report cannot be written', async () => {
    const { code, stdout, stderr } = await workshop.run(['check', bundle, '--reporter', 'json=/dev/null/v.json']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/could not be written: \/dev\/null\/v\.json/);
  });
});

describe.skipIf(!hasScript)('on a terminal (skipped where there is no script(1))', () => {
  it('shows a progress line of one row while a drill runs, and takes it away', async () => {
    const { code, stdout } = await workshop.shell(onTerminal(''), [
      'run',
      scenario,
      '--environment',
      'embedded',
      '--out',
      'tty',
    ]);
    expect(code).toBe(0);
    const shown = stdout.split(CLEAR_LINE).map((row) => row.split(/[\r\n]/)[0] ?? '');
    const rows = shown.filter((row) => /^\w+ +· .*in flight/.test(row));
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter((row) => row.length > 79)).toEqual([]);
    for (const phase of ['steady', 'hold', 'settle']) expect(rows.some((row) => row.startsWith(phase))).toBe(true);
    expect(rows.some((row) => /halted tenant:/.test(row))).toBe(true);
    expect(stdout).toMatch(COLOUR);
    expect(stdout.slice(stdout.indexOf('Drill short'))).not.toContain(CLEAR_LINE);
  });

  it('has no colour when NO_COLOR says so', async () => {
    const coloured = await workshop.shell(onTerminal(''), ['check', bundle]);
    const plain = await workshop.shell(onTerminal('NO_COLOR=1'), ['check', bundle]);
    expect(coloured.stdout).toMatch(COLOUR);
    expect(plain.stdout).not.toMatch(COLOUR);
    expect(plain.stdout).toContain('verdict: pass');
  });
});
