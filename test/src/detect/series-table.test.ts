import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeriesTable } from '../../../src/detect/series-table.ts';

const IDLE_MS = 100;
const GRAIN_MS = 10;

describe('a table of series', () => {
  it('never holds more than it may, and drops each entry once', () => {
    const hears = fc.array(fc.record({ key: fc.nat(30), gapMs: fc.nat(60) }), { maxLength: 200 });
    fc.assert(
      fc.property(hears, fc.integer({ min: 1, max: 12 }), (given, max) => {
        const live = new Set<number>();
        let made = 0;
        const table = new SeriesTable<number>({ max, idleMs: IDLE_MS, grainMs: GRAIN_MS }, (value) => {
          expect(live.delete(value)).toBe(true);
        });
        let nowMs = 0;
        for (const { key, gapMs } of given) {
          nowMs += gapMs;
          const value = table.hear(String(key), nowMs, () => {
            made += 1;
            live.add(made);
            return made;
          });
          expect(live.has(value)).toBe(true);
          expect(table.size).toBe(live.size);
          expect(table.size).toBeLessThanOrEqual(max);
        }
        table.dropIdle(nowMs + IDLE_MS + 1, Number.POSITIVE_INFINITY);
        expect([table.size, live.size]).toEqual([0, 0]);
      }),
    );
  });

  it('keeps what is heard of often among many that are heard of once', () => {
    const table = new SeriesTable<string>({ max: 10, idleMs: IDLE_MS, grainMs: GRAIN_MS }, () => undefined);
    let made = 0;
    for (let nowMs = 0; nowMs < 1_000; nowMs += 5) {
      table.hear('often', nowMs, () => `often ${(made += 1)}`);
      table.hear(`once ${nowMs}`, nowMs, () => 'once');
    }
    expect(made).toBe(1);
    expect(table.forgottenCount).toBeGreaterThan(0);
  });

  it('begins anew with a key that was idle, and counts that as nothing forgotten', () => {
    const table = new SeriesTable<number>({ max: 10, idleMs: IDLE_MS, grainMs: GRAIN_MS }, () => undefined);
    let made = 0;
    const hear = (nowMs: number): number => table.hear('one', nowMs, () => (made += 1));
    expect([hear(0), hear(100), hear(201), hear(205)]).toEqual([1, 1, 2, 2]);
    expect(table.forgottenCount).toBe(0);
  });
});
