import { KilldrillError } from '../../src/errors.ts';
import { figureComplaints } from './meaning.ts';
import { LIMITS } from './limits.ts';
import type { Range } from './limits.ts';
import type { Scenario } from './scenario.ts';

/** What a command line may change about a scenario. */
export interface Overrides {
  readonly seed?: number | undefined;
  readonly holdMs?: number | undefined;
}

/**
 * The scenario with another seed or hold.
 *
 * @throws KilldrillError `SCENARIO_INVALID` when a value is out of range, or makes the drill too large
 */
export function withOverrides(scenario: Scenario, overrides: Overrides): Scenario {
  const { seed = scenario.seed, holdMs = scenario.holdMs } = overrides;
  refuseOutside('seed', seed, LIMITS.seed);
  refuseOutside('hold in milliseconds', holdMs, LIMITS.holdMs);
  const changed = { ...scenario, seed, holdMs };
  const [complaint] = figureComplaints(changed);
  if (complaint === undefined) return changed;
  const { found, expected, fix } = complaint;
  throw new KilldrillError('SCENARIO_INVALID', `${scenario.name}: found ${found}, expected ${expected}; ${fix}`);
}

function refuseOutside(name: string, value: number, { min, max }: Range): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const sentence = `the ${name} is ${value}, expected a whole number from ${min} to ${max}`;
  throw new KilldrillError('SCENARIO_INVALID', sentence);
}
