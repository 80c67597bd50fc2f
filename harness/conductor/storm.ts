import type { Switch } from '../../src/switch.ts';
import type { AlertsEntry } from '../scenario/scenario.ts';

/** One alert of a storm; `at` is its moment, from 0 for the first to 1. */
export type StormItem = { readonly at: number; readonly nth: number } & (
  | { readonly kind: 'sound'; readonly on: Switch }
  /** The bytes of the nth sound one, again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'stale' | 'poison' }
);

/** What an entry asks for, each sort spread evenly over the whole, in the order in which it is published. */
export function stormOf({ count, targets, poison, again, stale }: AlertsEntry): readonly StormItem[] {
  const sound = spread(count).map((at, nth): StormItem => ({
    kind: 'sound',
    at,
    nth,
    on: { scope: 'agent', target: `storm-${(nth % targets) + 1}` },
  }));
  const repeats = spread(again).map((at, k): StormItem => {
    const nth = Math.floor((k * count) / again);
    // Behind the first of its bytes, whatever else comes in between.
    return { kind: 'again', at: Math.max(at, (nth + 0.5) / count), nth };
  });
  const others = (kind: 'poison' | 'stale', many: number): readonly StormItem[] =>
    spread(many).map((at, nth): StormItem => ({ kind, at, nth }));
  return [...sound, ...repeats, ...others('poison', poison), ...others('stale', stale)].toSorted(
    (one, other) => one.at - other.at || ORDER[one.kind] - ORDER[other.kind],
  );
}

const ORDER = { sound: 0, stale: 1, poison: 2, again: 3 } as const;

function spread(many: number): readonly number[] {
  return Array.from({ length: many }, (_, nth) => (nth + 0.5) / many);
}
