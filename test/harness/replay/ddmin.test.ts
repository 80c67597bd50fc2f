import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ddmin } from '../../../harness/replay/ddmin.ts';
import type { Held } from '../../../harness/replay/ddmin.ts';

type Judge = (part: readonly number[]) => boolean;

/** Asks as the drills would be asked, and counts. */
async function reduced(units: readonly number[], holds: Judge, tries = Number.POSITIVE_INFINITY) {
  const asked: string[] = [];
  const part = await ddmin(units, (candidate): Promise<Held> => {
    if (asked.length >= tries) return Promise.resolve('spent');
    asked.push(candidate.join(','));
    return Promise.resolve(holds(candidate) ? 'holds' : 'lost');
  });
  return { part, asked };
}

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, nth) => nth);
const needs =
  (needed: readonly number[]): Judge =>
  (part) =>
    needed.every((unit) => part.includes(unit));

describe('ddmin', () => {
  it('drops everything at once where nothing is needed, and asks nothing of nothing', async () => {
    expect(await reduced(upTo(9), () => true)).toEqual({ part: [], asked: [''] });
    expect(await reduced([], () => true)).toEqual({ part: [], asked: [] });
  });

  it('finds the one that is needed, by halves', async () => {
    const { part, asked } = await reduced(upTo(64), needs([37]));
    expect(part).toEqual([37]);
    expect(asked.length).toBeLessThanOrEqual(14);
    expect(asked[1]).toBe(upTo(32).join(','));
  });

  it('keeps everything where everything is needed', async () => {
    expect((await reduced(upTo(5), needs(upTo(5)))).part).toEqual(upTo(5));
  });

  it('ends with a minimal part, in its order, of what some units are needed for', async () => {
    const sets = fc.uniqueArray(fc.nat({ max: 23 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 24 }),
        fc.array(sets, { minLength: 1, maxLength: 3 }),
        async (n, any) => {
          const units = upTo(n);
          // Any of these sets is enough: more units never hold less, and there may be several minimal parts.
          const enough = any.map((set) => set.filter((unit) => unit < n));
          const holds: Judge = (part) => enough.some((set) => needs(set)(part));
          const { part, asked } = await reduced(units, holds);
          expect(holds(part)).toBe(true);
          for (const unit of part) expect(holds(part.filter((one) => one !== unit))).toBe(false);
          expect(part).toEqual(part.toSorted((one, other) => one - other));
          expect(new Set(asked).size).toBe(asked.length);
        },
      ),
    );
  });

  it('holds whatever the bound on its tries, and never asks for more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 20 }), fc.uniqueArray(fc.nat({ max: 15 })), async (tries, needed) => {
        const { part, asked } = await reduced(upTo(16), needs(needed), tries);
        expect(needs(needed)(part)).toBe(true);
        expect(asked.length).toBeLessThanOrEqual(tries);
      }),
    );
  });

  it('keeps what held last before its tries were spent', async () => {
    expect((await reduced(upTo(8), needs([7]), 3)).part).toEqual([4, 5, 6, 7]);
  });
});
