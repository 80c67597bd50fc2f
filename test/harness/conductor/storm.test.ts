import { describe, expect, test } from 'vitest';
import { stormOf } from '../../../harness/conductor/storm.ts';
import type { AlertsEntry } from '../../../harness/scenario/scenario.ts';

const entry = (given: Partial<AlertsEntry>): AlertsEntry => ({
  ...{ kind: 'alerts', when: { kind: 'exposed' }, count: 0, targets: 1, poison: 0, again: 0, stale: 0, overMs: 0 },
  ...given,
});

describe('a storm', () => {
  test('has as many of each sort as its entry asks for, in the order of their moments', () => {
    const storm = stormOf(entry({ count: 10, targets: 3, poison: 4, again: 5, stale: 2 }));
    const counts = (['sound', 'poison', 'again', 'stale'] as const).map(
      (sort) => storm.filter(({ kind }) => kind === sort).length,
    );
    expect(counts).toEqual([10, 4, 5, 2]);
    expect(storm.map(({ at }) => at)).toEqual(storm.map(({ at }) => at).toSorted((one, other) => one - other));
    expect(storm.every(({ at }) => at > 0 && at <= 1)).toBe(true);
  });

  test('goes over all its targets, and over no other', () => {
    const storm = stormOf(entry({ count: 7, targets: 3 }));
    const on = storm.flatMap((item) => (item.kind === 'sound' ? [`${item.on.scope}:${item.on.target}`] : []));
    expect(new Set(on)).toEqual(new Set(['agent:storm-1', 'agent:storm-2', 'agent:storm-3']));
  });

  test('has each repeat behind the first of its bytes, and each of another one', () => {
    for (const [count, again] of [
      [10, 10],
      [10, 3],
      [1, 1],
      [300, 6],
    ] as const) {
      const storm = stormOf(entry({ count, again, poison: 5 }));
      const repeats = storm.filter(({ kind }) => kind === 'again');
      expect(new Set(repeats.map(({ nth }) => nth)).size).toBe(again);
      for (const repeat of repeats) {
        const first = storm.findIndex(({ kind, nth }) => kind === 'sound' && nth === repeat.nth);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(storm.indexOf(repeat)).toBeGreaterThan(first);
      }
    }
  });
});
