import { countEffects } from '../../checkers/effects-after.ts';
import type { WitnessedEffect } from '../../checkers/effects-of.ts';
import { covers } from '../../checkers/in-scope.ts';
import type { DrillIndex } from '../../checkers/index-of.ts';
import type { Judgement } from '../../checkers/verdict-file.ts';
import type { Switch } from '../../../src/switch.ts';

/** What arrived from one worker, milliseconds since T0: each arrival by its lower bound, in one of the three. */
export interface Arrivals {
  readonly worker: string;
  /** In scope of some stop of the drill, whenever that was. */
  readonly inside: readonly number[];
  /** Of no concern to any stop. */
  readonly outside: readonly number[];
  /** In scope of a stop, and later than the worker's budget. */
  readonly late: readonly number[];
}

/** The arrivals of every worker that the drill names, in its order, and of any that it does not. */
export function arrivalsOf(index: DrillIndex, { flips }: Pick<Judgement, 'flips'>): readonly Arrivals[] {
  const switches = switchesOf(index);
  const late = lateEffects(index, flips);
  const rows = new Map(index.workers.map((worker) => [worker, emptyRow(worker)]));
  for (const effect of index.effects) {
    const row = rows.get(effect.worker) ?? emptyRow(effect.worker);
    rows.set(effect.worker, row);
    const isInside = switches.some((on) => covers(on, effect));
    const list = late.has(effect) ? row.late : isInside ? row.inside : row.outside;
    list.push(effect.arrivedAtMs);
  }
  return [...rows.values()];
}

function emptyRow(worker: string): { worker: string; inside: number[]; outside: number[]; late: number[] } {
  return { worker, inside: [], outside: [], late: [] };
}

/** Each switch once: a storm stops the same one a hundred times. */
function switchesOf({ stops }: DrillIndex): readonly Switch[] {
  return [...new Map(stops.map(({ on }) => [`${on.scope} ${on.target}`, on])).values()];
}

function lateEffects(index: DrillIndex, flips: Judgement['flips']): ReadonlySet<WitnessedEffect> {
  const guilty = new Set(flips.filter(({ effectsAfterBudget }) => (effectsAfterBudget ?? 0) > 0).map(revisionOf));
  const stops = index.stops.filter(({ revision }) => guilty.has(revision));
  return new Set(stops.flatMap((stop) => countEffects(index, stop).afterBudget));
}

function revisionOf({ revision }: { readonly revision: number }): number {
  return revision;
}
