import { describe, expect, test } from 'vitest';
import type { WantedTurn } from '../../../../src/store/canary-port.ts';
import type { World } from './world.ts';

const LONG_MS = 600_000;

/** Who may fly a canary. */
export function describeCanaryTurns(w: World): void {
  const wanted = (token: string, parts: Partial<WantedTurn> = {}): WantedTurn => ({
    ...{ token, by: `by ${token}`, termMs: LONG_MS, everyMs: 0 },
    ...parts,
  });

  describe('turns of canaries', () => {
    test('are one process’s at a time, which the others are told', async () => {
      expect(await w.one.canaries.take(wanted('a'))).toEqual({ kind: 'mine' });
      const other = await w.other.canaries.take(wanted('b'));
      expect(other).toEqual({ kind: 'taken', by: 'by a', forMs: expect.any(Number) });
      expect(other.kind === 'taken' && other.forMs).toBeGreaterThan(LONG_MS / 2);
      await w.other.canaries.end('b');
      expect(await w.other.canaries.take(wanted('b'))).toMatchObject({ kind: 'taken', by: 'by a' });
      await w.one.canaries.end('a');
      expect(await w.other.canaries.take(wanted('b'))).toEqual({ kind: 'mine' });
    });

    test('are given to exactly one of many who ask at once, again and again', async () => {
      for (let round = 1; round <= 25; round += 1) {
        const asked = Array.from({ length: 6 }, async (_, nth) => {
          const token = `t${round}-${nth}`;
          const { kind } = await (nth % 2 === 0 ? w.one : w.other).canaries.take(wanted(token));
          return { token, kind };
        });
        const answers = await Promise.all(asked);
        const mine = answers.filter(({ kind }) => kind === 'mine');
        expect(mine, `who has the turn of round ${round}`).toHaveLength(1);
        expect(answers.filter(({ kind }) => kind === 'taken')).toHaveLength(5);
        for (const { token } of mine) await w.one.canaries.end(token);
      }
    });

    test('are over by themselves when their holder does not end them', async () => {
      await w.one.canaries.take(wanted('a', { termMs: 1 }));
      await w.expire(async () => {
        const { kind } = await w.other.canaries.take(wanted('b'));
        return kind === 'mine' ? kind : undefined;
      });
      await w.one.canaries.end('a');
      expect(await w.one.canaries.take(wanted('c'))).toMatchObject({ kind: 'taken', by: 'by b' });
    });

    test('come early to who asks again within the interval, whoever had the last', async () => {
      await w.one.canaries.take(wanted('a'));
      await w.one.canaries.end('a');
      const early = await w.other.canaries.take(wanted('b', { everyMs: LONG_MS }));
      expect(early).toEqual({ kind: 'early', inMs: expect.any(Number) });
      expect(early.kind === 'early' && early.inMs).toBeGreaterThan(LONG_MS / 2);
      expect(await w.other.canaries.take(wanted('c', { everyMs: 0 }))).toEqual({ kind: 'mine' });
    });
  });
}
