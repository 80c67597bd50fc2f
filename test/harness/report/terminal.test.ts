import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { Judgement } from '../../../harness/checkers/verdict-file.ts';
import { renderReport } from '../../../harness/report/terminal.ts';
import { columnsOf } from '../../../harness/report/wrap.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { effect, plus, recordOf } from '../checkers/history-builder.ts';

const clean = judge(recordOf(cleanDrill()));
const late = effect({ atMs: 5_000, worker: 1, run: 'run-0', capability: 'model/chat', key: 'late' });
const failed = judge(recordOf(plus(cleanDrill(), ...late)));
const reproduce = 'killdrill run tenant-halt --seed 42 --environment embedded';
const plain = { width: 80, colour: false, reproduce };

const linesOf = (judgement: Judgement, options = plain): readonly string[] =>
  renderReport(judgement, options).trimEnd().split('\n');

describe('renderReport', () => {
  it('ends with the verdict and the command, and names the worst finding in between', () => {
    expect(linesOf(clean).slice(-2)).toEqual(['verdict: pass (exit 0)', `reproduce: ${reproduce}`]);
    const text = renderReport(failed, plain);
    expect(text.slice(text.indexOf('verdict: fail (exit 1)'))).toMatch(
      /^verdict: fail \(exit 1\)\nworst: no_effect_after_stop: effect \d+[^]*reproduce: killdrill run/,
    );
  });

  it('shows milestones, every worker, the counts, and every property with its reason', () => {
    const text = renderReport(clean, plain);
    for (const { name } of [...clean.milestones, ...clean.properties, ...clean.expectations])
      expect(text).toContain(name);
    expect(text).toMatch(/worker-1 .*stopped .*connected .*15 ms/);
    expect(text).toMatch(/132 │ before/);
    expect(text).toContain('T+60 s not established');
  });

  it('prints n, and no percentile that two workers do not carry', () => {
    expect(linesOf(clean)).toContain('n 2 · max 15 ms');
  });

  it('is never wider than asked for and has no escape without colour, whatever the words are', () => {
    const words = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(words, words, fc.integer({ min: 60, max: 140 }), (reason, target, width) => {
        const properties = clean.properties.map((property) => ({ ...property, name: target, reason }));
        const flips = clean.flips.map((flip) => ({ ...flip, target }));
        const worst = { name: target, verdict: 'fail', reason, evidence: { key: target } } as const;
        const text = renderReport({ ...failed, scenario: 'x', properties, flips, worst }, { ...plain, width });
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        for (const line of text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(width);
      }),
      { numRuns: 25 },
    );
  });

  it('colours verdicts only when asked to, and stays as wide', () => {
    const colour = renderReport(failed, { ...plain, colour: true });
    expect(colour).toContain('\u001b[31mfail\u001b[0m');
    expect(colour.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderReport(failed, plain));
  });

  it('continues a long command as a shell does', () => {
    const long = `killdrill run tenant-halt --seed 42 --out ${'reports/one '.repeat(8)}`.trim();
    const text = renderReport(clean, { ...plain, reproduce: long });
    expect(text.slice(text.indexOf('reproduce: ')).trimEnd().replaceAll(' \\\n  ', ' ')).toBe(`reproduce: ${long}`);
  });

  it('renders a judgement of nothing', () => {
    const empty = judge({ ...recordOf(cleanDrill()), events: [] });
    expect(renderReport(empty, plain)).toContain('verdict: ');
  });
});
