import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeIn, ticksOf, tickText } from '../../../../harness/report/html/axis.ts';

describe('an axis', () => {
  it('has two to seven ticks, all within its window', () => {
    const spans = fc.record({
      fromMs: fc.integer({ min: -10_000, max: 10_000 }),
      spanMs: fc.integer({ min: 1, max: 10_000_000 }),
    });
    fc.assert(
      fc.property(spans, ({ fromMs, spanMs }) => {
        const window = { fromMs, toMs: fromMs + spanMs };
        const ticks = ticksOf(window);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(8);
        for (const tick of ticks) expect(placeIn(window, tick)).not.toBeNull();
      }),
      { examples: [[{ fromMs: 11, spanMs: 9_999_987 }]] }, // a round instant lies two milliseconds beyond its end
    );
  });

  it('has none for a window without width', () => {
    expect(ticksOf({ fromMs: 5, toMs: 5 })).toEqual([]);
  });

  it('writes milliseconds close up and seconds from afar', () => {
    expect(tickText(250, { fromMs: -200, toMs: 800 })).toBe('250 ms');
    expect(tickText(2_500, { fromMs: 0, toMs: 17_000 })).toBe('2.5 s');
    expect(tickText(0, { fromMs: 0, toMs: 17_000 })).toBe('0');
  });
});
