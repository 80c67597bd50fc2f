import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseXml } from '../report/parse-xml.ts';
import { wordsOf } from '../report/shell-words.ts';
import { runCommand } from './run-command.ts';

const SAMPLE = fileURLToPath(new URL('../../../reports/sample', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-stored-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const copied = (name: string): string => {
  cpSync(SAMPLE, at(name), { recursive: true });
  return at(name);
};
const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('check, with reporters', () => {
  it('makes the very reports that the run made, from its bundle, several at once', async () => {
    const files = ['html', 'junit', 'md'].flatMap((name) => ['--reporter', `${name}=${at(`again.${name}`)}`]);
    const { code, stdout } = await runCommand(['check', SAMPLE, '-q', '--json', ...files]);
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync(join(SAMPLE, 'verdict.json'), 'utf8'));
    expect(readFileSync(at('again.html'))).toEqual(readFileSync(join(SAMPLE, 'report.html')));
    expect(readFileSync(at('again.junit'))).toEqual(readFileSync(join(SAMPLE, 'junit.xml')));
    expect(parseXml(readFileSync(at('again.junit'), 'utf8')).name).toBe('testsuites');
    expect(readFileSync(at('again.md'), 'utf8')).toContain('tenant-halt: pass');
  });

  it('names a command that checks it again, whatever its folder is called', async () => {
    const { stdout } = await runCommand(['check', copied("it's a run"), '-q']);
    const [, command = ''] = /^reproduce: ([^]*)/m.exec(stdout) ?? [];
    expect(wordsOf(command)).toEqual(['killdrill', 'check', at("it's a run")]);
  });

  it('refuses a bundle in which a report was altered or is missing', async () => {
    const bundle = copied('altered');
    const page = join(bundle, 'report.html');
    writeFileSync(page, readFileSync(page, 'utf8').replace('pass', 'PASS'));
    const altered = await runCommand(['check', bundle]);
    expect(altered.code).toBe(3);
    expect(inOneLine(altered.stderr)).toMatch(/report\.html in the bundle .* is not as the drill wrote it: its sha256/);
    rmSync(page);
    const missing = await runCommand(['check', bundle]);
    expect([missing.code, inOneLine(missing.stderr)]).toEqual([3, expect.stringContaining('it is missing')]);
  });

  it('writes nothing into a finished bundle', async () => {
    const bundle = copied('kept');
    const before = readFileSync(join(bundle, 'report.html'));
    const { code, stderr } = await runCommand(['check', bundle, '--reporter', `html=${join(bundle, 'report.html')}`]);
    expect([code, inOneLine(stderr)]).toEqual([3, expect.stringContaining('which is kept as its drill wrote it')]);
    expect(readFileSync(join(bundle, 'report.html'))).toEqual(before);
    const further = await runCommand(['check', bundle, '--reporter', `md=${join(bundle, 'more.md')}`]);
    expect([further.code, existsSync(join(bundle, 'more.md'))]).toEqual([3, false]);
  });

  it('names what is wrong with a reporter, and with a file that cannot be written', async () => {
    const unknown = await runCommand(['check', SAMPLE, '--reporter', 'pdf']);
    expect([unknown.code, inOneLine(unknown.stderr)]).toEqual([3, expect.stringContaining("--reporter is 'pdf'")]);
    const unwritable = await runCommand(['check', SAMPLE, '--reporter', `html=${at('no/such/folder.html')}`]);
    expect(unwritable.code).toBe(4);
    expect(inOneLine(unwritable.stderr)).toMatch(/a report could not be written: .*folder\.html: ENOENT/);
  });

  it('draws a report of a run that was cut short, and says so in it', async () => {
    const bundle = copied('torn');
    for (const name of ['manifest.json', 'verdict.json', 'environment.json', 'report.html', 'junit.xml'])
      rmSync(join(bundle, name));
    const { code } = await runCommand(['check', bundle, '-q', '--reporter', `html=${at('torn.html')}`]);
    expect(code).toBe(2);
    const text = readFileSync(at('torn.html'), 'utf8');
    expect(text).toContain('The record is not whole');
    expect(text).toContain('does not say where it ran');
  });
});

describe('check, against the verdict of the run', () => {
  const OLD = fileURLToPath(new URL('../bundle/kept-bundles/trace-version-1', import.meta.url));

  it('says that nothing changed, and adds nothing to the JSON', async () => {
    const { stdout } = await runCommand([
      'check',
      SAMPLE,
      '--reporter',
      'terminal',
      '--reporter',
      `json=${at('same')}`,
    ]);
    expect(readFileSync(at('same'), 'utf8')).toBe(readFileSync(join(SAMPLE, 'verdict.json'), 'utf8'));
    expect(inOneLine(stdout)).toMatch(/the same as the run's own verdict, in every property \(killdrill \S+ then/);
  });

  it('names the properties that an older killdrill did not have, for people and for programs', async () => {
    const { stdout } = await runCommand(['check', OLD, '--reporter', 'terminal', '--reporter', `md=${at('old.md')}`]);
    expect(inOneLine(stdout)).toMatch(/changed since the run was judged \(killdrill 0\.1\.0 then/);
    expect(stdout).toMatch(/│ not judged +│ not_applicable +│ modes_honoured +│/);
    expect(readFileSync(at('old.md'), 'utf8')).toContain('| not judged | not_applicable | `modes_honoured` |');
    const json = await runCommand(['check', OLD, '--json', '-q']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      version: 1,
      changes: {
        kind: 'changed',
        killdrill: { was: '0.1.0' },
        changes: expect.arrayContaining([expect.objectContaining({ name: 'modes_honoured', was: null })]),
      },
    });
  });

  it('has nothing to compare a run with that ended before its verdict', async () => {
    const bundle = copied('killed');
    for (const name of ['manifest.json', 'verdict.json']) rmSync(join(bundle, name));
    const { code, stdout } = await runCommand(['check', bundle, '-q']);
    expect(code).toBe(2);
    expect(inOneLine(stdout)).toContain(
      'the run ended before it was judged, so there is no verdict.json to compare with',
    );
  });
});

describe('compare', () => {
  it('finds nothing between a bundle and itself', async () => {
    const { code, stdout } = await runCommand(['compare', SAMPLE, SAMPLE]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/No verdict changed\.[^]*no verdict got worse \(exit 0\)\n$/),
    ]);
  });

  it('ends with 1 when a verdict got worse, and tells which as JSON', async () => {
    const bundle = copied('torn');
    rmSync(join(bundle, 'manifest.json'));
    const { code, stdout } = await runCommand(['compare', SAMPLE, bundle, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      worse: true,
      verdicts: expect.arrayContaining([
        expect.objectContaining({ name: 'verdict', from: 'pass', to: 'inconclusive' }),
      ]),
    });
    const back = await runCommand(['compare', bundle, SAMPLE]);
    expect(back.code).toBe(0);
  });

  it('names a bundle that is not there, and a part that is not', async () => {
    const none = await runCommand(['compare', SAMPLE, at('none')]);
    expect([none.code, inOneLine(none.stderr)]).toEqual([3, expect.stringContaining('no bundle can be read from')]);
    const bundle = copied('part');
    rmSync(join(bundle, 'trace.jsonl.gz'));
    rmSync(join(bundle, 'manifest.json'));
    const part = await runCommand(['compare', bundle, SAMPLE]);
    expect([part.code, inOneLine(part.stderr)]).toEqual([3, expect.stringContaining('has no trace.jsonl.gz')]);
    mkdirSync(at('ordinary'));
    const ordinary = await runCommand(['check', at('ordinary')]);
    expect(ordinary.code).toBe(3);
    expect(inOneLine(ordinary.stderr)).toContain(
      'has no scenario.yaml; it holds nothing; expected a folder that `killdrill run` made, such as reports/<run>',
    );
  });
});
