import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { report, reportSkipped, resolveReporters } from '../../../harness/cli/reporters.ts';
import { renderHtml } from '../../../harness/report/html/page.ts';
import { clean, failed } from '../report/drills.ts';
import { parseXml } from '../report/parse-xml.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-reporters-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(at(name), 'utf8');
const reporters = (...names: readonly string[]) =>
  resolveReporters({ reporter: names.map((name) => `${name}=${at(`out.${name}`)}`) });
const context = (names: readonly string[]) => ({
  ...{ reporters: reporters(...names), reproduce: 'killdrill check b', bundleFolder: at('bundle') },
  judgedAnew: clean,
});

describe('resolveReporters', () => {
  it('takes several at once, one of them on stdout, and github beside it', () => {
    expect(resolveReporters({ reporter: ['json', 'github', 'html=a.html'] })).toEqual([
      { name: 'json', file: null },
      { name: 'github', file: null },
      { name: 'html', file: 'a.html' },
    ]);
    expect(resolveReporters({ reporter: [] })).toEqual([{ name: 'terminal', file: null }]);
  });

  it.each([
    [['pdf'], /--reporter is 'pdf'; expected one of terminal, html, junit, md, github, json/],
    [['html='], /names no file/],
    [['json', 'md'], /two reporters write to stdout/],
    [['md=x', 'json=x'], /two reporters write to x/],
  ])('refuses %j', (reporter, complaint) => {
    expect(() => resolveReporters({ reporter })).toThrow(complaint);
  });

  it('refuses a document on stdout that several drills would have to share', () => {
    expect(() => resolveReporters({ reporter: ['junit'] }, 'several')).toThrow(/give it a file \(junit=FILE\)/);
    expect(() => resolveReporters({ reporter: ['junit'] })).not.toThrow();
    expect(() => resolveReporters({ reporter: ['json'] }, 'several')).not.toThrow();
  });
});

describe('report', () => {
  it('writes one verdict in every form at once', () => {
    report(clean.judgement, context(['html', 'junit', 'md', 'github', 'json', 'terminal']));
    expect(read('out.html')).toBe(renderHtml(clean));
    expect(parseXml(read('out.junit')).children).toHaveLength(1);
    expect(read('out.md')).toMatch(/^## ✅/);
    expect(read('out.github')).toMatch(/^::notice /);
    expect(JSON.parse(read('out.json'))).toEqual(clean.judgement);
    expect(read('out.terminal')).toContain('verdict: pass (exit 0)');
  });

  it('adds a further drill to the same files, as a page of its own, and what was skipped', () => {
    const given = context(['html', 'junit', 'md', 'json']);
    report(clean.judgement, given);
    report(failed.judgement, { ...given, judgedAnew: failed, isFurther: true });
    reportSkipped([{ scenario: 'broker', why: 'no Kafka' }], given.reporters);
    expect(read('out.html')).toBe(renderHtml(clean));
    expect(read('out-bundle.html')).toBe(renderHtml(failed));
    expect(parseXml(read('out.junit')).children.map(({ attributes }) => attributes['name'])).toEqual([
      ...['tenant-halt', 'tenant-halt', 'broker'],
    ]);
    expect(read('out.md')).toMatch(/^## ✅[^]*\n## ❌/);
    expect(read('out.json')).toContain('"verdict": "skipped"');
  });

  it('adds to the step summary of GitHub Actions, after what is there', () => {
    writeFileSync(at('summary.md'), 'before\n');
    vi.stubEnv('GITHUB_STEP_SUMMARY', at('summary.md'));
    report(failed.judgement, context(['github']));
    expect(read('summary.md')).toMatch(/^before\n## ❌ tenant-halt: fail\n/);
    expect(read('out.github')).toMatch(/^::error /);
  });

  it('names every file that cannot be written, and writes the others', () => {
    const bad = resolveReporters({
      reporter: [`html=${at('no/such/a.html')}`, `junit=${folder}`, `md=${at('out.md')}`],
    });
    vi.stubEnv('GITHUB_STEP_SUMMARY', '');
    expect(() => report(clean.judgement, { ...context([]), reporters: bad })).toThrow(
      /a report could not be written: .*a\.html: ENOENT.*; .*EISDIR/,
    );
    expect(read('out.md')).toMatch(/^## ✅/);
  });

  it('does not add a suite to a file that somebody else wrote', () => {
    const given = context(['junit']);
    writeFileSync(at('out.junit'), '<html/>');
    expect(() => report(clean.judgement, { ...given, isFurther: true })).toThrow(/somebody else wrote/);
    expect(read('out.junit')).toBe('<html/>');
  });
});
