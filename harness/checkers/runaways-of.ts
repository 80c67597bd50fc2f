import { SCOPES } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import { isRunawayOf } from '../traffic/runaway-runs.ts';
import type { WitnessedEffect } from './effects-of.ts';
import type { DrillIndex } from './index-of.ts';

/** A runaway that was let loose, and what the witness saw of it. */
export interface Runaway {
  readonly flip: number;
  readonly on: Switch;
  readonly looseNs: number;
  /** Every effect of it, in order of arrival: bad ones, all of them. */
  readonly effects: readonly WitnessedEffect[];
}

/** The runaways of a drill, in the order in which they were let loose. */
export function runawaysIn({ record, effects }: DrillIndex): readonly Runaway[] {
  return record.events.flatMap((event): readonly Runaway[] => {
    const scope = event.type === 'runaway.loose' ? SCOPES.find((known) => known === event.scope) : undefined;
    if (event.type !== 'runaway.loose' || scope === undefined) return [];
    const { flip, target, t0: looseNs } = event;
    const own = effects.filter(({ run }) => isRunawayOf(run, flip));
    return [{ flip, on: { scope, target }, looseNs, effects: own }];
  });
}
