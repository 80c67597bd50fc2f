import { describe, expect, it } from 'vitest';
import { indexOf } from '../../../../harness/checkers/index-of.ts';
import { queueSeries, SAMPLES } from '../../../../harness/report/html/queue-series.ts';
import { cleanDrill } from '../../checkers/clean-drill.ts';
import { recordOf, without } from '../../checkers/history-builder.ts';
import { clean } from '../drills.ts';

describe('the queue over time', () => {
  it('ends with what the rows say, and never holds less than nothing', () => {
    const index = indexOf(clean.record);
    const series = queueSeries(index);
    expect(series?.since).toBe('first stop');
    const discarded = [...index.tasks.values()].filter(({ row }) => row?.state === 'discarded').length;
    expect(discarded).toBeGreaterThan(0);
    expect(series?.states.find(({ state }) => state === 'discarded')?.counts.at(-1)).toBe(discarded);
    for (const { counts } of series?.states ?? []) {
      expect(counts).toHaveLength(SAMPLES);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(0);
    }
  });

  it('is none where no task was seen to change', () => {
    const blind = without(cleanDrill(), ({ body }) => body.type === 'store.taskChange');
    expect(queueSeries(indexOf(recordOf(blind)))).toBeNull();
  });
});
