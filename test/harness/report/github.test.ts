import { describe, expect, it } from 'vitest';
import { githubAnnotations, githubSkipped } from '../../../harness/report/github.ts';
import { clean, failed, nasty } from './drills.ts';

describe('annotations for GitHub', () => {
  it('are an error for each violated claim, and a notice when there is none', () => {
    expect(githubAnnotations(clean.judgement)).toBe(
      '::notice title=killdrill%3A tenant-halt::every claim that applies holds',
    );
    const lines = githubAnnotations(failed.judgement).split('\n');
    expect(lines[0]).toMatch(/^::error title=killdrill%3A tenant-halt%3A no_effect_after_stop::fail: effect \d+/);
  });

  it('are ten of a kind at most, the last of which counts the rest', () => {
    const properties = Array.from({ length: 14 }, (_, nth) => ({
      ...({ name: `p${nth}`, verdict: 'fail', reason: 'r', evidence: {} } as const),
    }));
    const lines = githubAnnotations({ ...clean.judgement, properties, expectations: [] }).split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[9]).toContain('5 claims more');
  });

  it('are one command a line, whatever the words are', () => {
    const lines = githubAnnotations(nasty.judgement).split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^::(?:error|warning) title=[^:,]*::/);
    expect(githubSkipped({ scenario: 'a,b', why: '50%\n::stop-commands::x' })).toBe(
      '::warning title=killdrill%3A a%2Cb::skipped, which is no pass: 50%25%0A::stop-commands::x',
    );
  });
});
