import { describe, expect, it } from 'vitest';
import { ms, summaryOf } from '../../../harness/report/percentile.ts';

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, nth) => n - nth);

describe('summaryOf', () => {
  it.each([
    [0, 'n 0'],
    [3, 'n 3 · max 3.0 ms'],
    [4, 'n 4 · median 2.0 ms · max 4.0 ms'],
    [20, 'n 20 · median 10 ms · p90 18 ms · max 20 ms'],
    [200, 'n 200 · median 100 ms · p90 180 ms · p99 198 ms · max 200 ms'],
  ])('says of %i samples what they carry', (n, text) => {
    expect(summaryOf(upTo(n))).toBe(text);
  });

  it('shows what is not known as a dash', () => {
    expect(ms(null)).toBe('–');
  });
});
