import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import { compareRuns } from '../../../harness/compare/compare-runs.ts';
import type { JudgedRun } from '../../../harness/compare/compare-runs.ts';
import { medianOf, noiseFloor } from '../../../harness/compare/noise-floor.ts';
import type { DrillRecord } from '../../../harness/drill/drill.ts';
import { renderComparison } from '../../../harness/report/comparison.ts';
import { ms, summaryOf } from '../../../harness/report/percentile.ts';
import { makePrng } from '../../../harness/traffic/prng.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf, withoutStops, withScenario } from '../checkers/history-builder.ts';
import { clean, failed } from '../report/drills.ts';

const judged = (record: DrillRecord): JudgedRun => ({ record, judgement: judge(record) });
const compared = (one: JudgedRun, other: JudgedRun) => compareRuns(one, other, makePrng(1));

describe('compareRuns', () => {
  it('finds nothing between a run and itself, and says with which n', () => {
    const comparison = compared(clean, clean);
    expect(comparison).toMatchObject({ differences: [], verdicts: [], worse: false });
    expect(comparison.figures.find(({ name }) => name === 'time to stop, connected')).toMatchObject({
      ...{ n: [2, 2], ratio: 1, noiseFloor: null, isBeyondNoise: null },
    });
    expect(compared(clean, clean)).toEqual(comparison);
  });

  it('is worse when a verdict got worse, and says which and why', () => {
    const comparison = compared(clean, failed);
    expect(comparison.worse).toBe(true);
    expect(comparison.verdicts[0]).toMatchObject({ name: 'verdict', from: 'pass', to: 'fail', change: 'worse' });
    expect(comparison.verdicts.map(({ name }) => name)).toContain('no_effect_after_stop');
    expect(comparison.counts).toContainEqual({ name: 'effects after the budget', from: 0, to: 1 });
  });

  it('is not worse when a verdict got better', () => {
    const comparison = compared(failed, clean);
    expect(comparison.worse).toBe(false);
    expect(comparison.verdicts.every(({ change }) => change === 'better')).toBe(true);
  });

  it('takes what passed and is not judged any more for worse', () => {
    const { verdicts, worse } = compared(clean, judged(recordOf(withoutStops(cleanDrill()))));
    expect(worse).toBe(true);
    expect(verdicts).toContainEqual(
      expect.objectContaining({ name: 'no_effect_after_stop', from: 'pass', to: 'not_applicable', change: 'worse' }),
    );
  });

  it('says in what else two runs differ', () => {
    const other = withScenario(cleanDrill(), (scenario) => ({ ...scenario, name: 'other', seed: 7 }));
    const longer = withScenario(cleanDrill(), (scenario) => ({ ...scenario, holdMs: 60_000 }));
    expect(compared(clean, judged(recordOf(other))).differences).toContain('seed: 42 → 7');
    expect(compared(clean, judged(recordOf(longer))).differences).toEqual([
      'the scenarios are not the same, though their names are',
    ]);
  });
});

describe('the median', () => {
  it('is the one that reports tell of the same samples, and one of them', () => {
    const samples = [90, 79, 60, 75];
    expect(medianOf(samples)).toBe(75);
    expect(summaryOf(samples)).toContain(`median ${ms(medianOf(samples))}`);
  });
});

describe('the noise floor', () => {
  const prng = (): ReturnType<typeof makePrng> => makePrng('noise');

  it('is one for samples that are all the same, and wider for what is spread wider', () => {
    const spread = (by: number): readonly number[] => Array.from({ length: 20 }, (_, nth) => 100 + by * nth);
    expect(noiseFloor([10, 10, 10, 10, 10], prng())).toBe(1);
    const [narrow, wide] = [noiseFloor(spread(1), prng()) ?? 0, noiseFloor(spread(20), prng()) ?? 0];
    expect(narrow).toBeGreaterThan(1);
    expect(wide).toBeGreaterThan(narrow);
  });

  it('is narrower for more samples of the same spread', () => {
    const many = (n: number): readonly number[] => Array.from({ length: n }, (_, nth) => 100 + (nth % 10) * 10);
    expect(noiseFloor(many(200), prng()) ?? 0).toBeLessThan(noiseFloor(many(10), prng()) ?? 0);
  });

  it('is not known of three samples, nor where the median is zero', () => {
    expect(noiseFloor([1, 2, 3], prng())).toBeNull();
    expect(noiseFloor([0, 0, 0, 0], prng())).toBeNull();
  });
});

describe('renderComparison', () => {
  it('ends with whether a verdict got worse, and keeps within 80 columns', () => {
    const text = renderComparison(compared(clean, failed), { width: 80, colour: false });
    expect(text).toMatch(/worse: a verdict got worse \(exit 1\)\n$/);
    expect(text).toMatch(/worse .*pass .*fail .*no_effect_after_stop/);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const same = renderComparison(compared(clean, clean), { width: 80, colour: false });
    expect(same).toContain('No verdict changed.');
    expect(same).toMatch(/no verdict got worse \(exit 0\)\n$/);
  });
});
