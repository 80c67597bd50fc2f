import type { Scenario } from './scenario.ts';
import { STOP_PATHS } from './timeline-schema.ts';

/** How a stop is taken: by a path of killdrill's own, or with the switch that the fleet brings. */
export const TAKEN_PATHS = [...STOP_PATHS, 'levers'] as const;
export type TakenPath = (typeof TAKEN_PATHS)[number];

/** A fleet that has levers is stopped with them, whatever the timeline could say. */
export function takenPath<Via extends TakenPath>(
  { fleet }: Pick<Scenario, 'fleet'>,
  { via }: { readonly via: Via },
): Via | 'levers' {
  return fleet.levers === null ? via : 'levers';
}
