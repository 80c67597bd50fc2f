import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKETS, HIGHEST, LOWEST, SlidingWindow, SUM } from '../../../src/detect/sliding-window.ts';
import type { Fold } from '../../../src/detect/sliding-window.ts';

interface Added {
  readonly atMs: number;
  readonly value: number;
}

const steps = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 3_000 })),
    value: fc.integer({ min: 0, max: 9 }),
  }),
  { minLength: 1, maxLength: 80 },
);
const windows = fc.integer({ min: 1, max: 50 }).map((bucketMs) => bucketMs * BUCKETS);
const origins = fc.integer({ min: -5_000, max: 5_000 });

/** Every value and its time, kept for ever. */
function since(added: readonly Added[], fromMs: number, fold: Fold): number {
  return added.filter(({ atMs }) => atMs >= fromMs).reduce((all, { value }) => fold.join(all, value), fold.empty);
}

describe('a sliding window', () => {
  it('counts all of its length and nothing that is older by more than a bucket', () => {
    fc.assert(
      fc.property(steps, windows, origins, (given, windowMs, originMs) => {
        const window = new SlidingWindow(windowMs, SUM);
        const added: Added[] = [];
        let nowMs = originMs;
        for (const { gapMs, value } of given) {
          nowMs += gapMs;
          const quiet = window.read(nowMs);
          expect(quiet).toBeGreaterThanOrEqual(since(added, nowMs - windowMs, SUM));
          window.add(nowMs, value);
          added.push({ atMs: nowMs, value });
          expect(window.read(nowMs)).toBeGreaterThanOrEqual(since(added, nowMs - windowMs, SUM));
          expect(window.read(nowMs)).toBeLessThanOrEqual(since(added, nowMs - windowMs - windowMs / BUCKETS, SUM));
        }
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['highest', HIGHEST],
    ['lowest', LOWEST],
  ])('knows the %s value, bucket by bucket', (_, fold) => {
    fc.assert(
      fc.property(steps, windows, origins, (given, windowMs, originMs) => {
        const window = new SlidingWindow(windowMs, fold);
        const added: Added[] = [];
        let nowMs = originMs;
        for (const { gapMs, value } of given) {
          nowMs += gapMs;
          window.add(nowMs, value);
          added.push({ atMs: nowMs, value });
          const bucketMs = windowMs / BUCKETS;
          const firstMs = (Math.floor(nowMs / bucketMs) - BUCKETS) * bucketMs;
          expect(window.read(nowMs)).toBe(since(added, firstMs, fold));
        }
      }),
    );
  });

  it('takes time that goes back as no time', () => {
    const window = new SlidingWindow(1_000, SUM);
    window.add(5_000, 1);
    window.add(4_000, 1);
    expect(window.read(3_000)).toBe(2);
    expect(window.read(6_000)).toBe(2);
    expect(window.read(6_100)).toBe(0);
  });
});
