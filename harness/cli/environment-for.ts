import type { EnvironmentChoice } from '../environment/choose.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** What was chosen, but no server where no drill would use it: a fleet with a switch of its own has no store. */
export function environmentFor(scenarios: readonly Scenario[], choice: EnvironmentChoice): EnvironmentChoice {
  const haveLevers = scenarios.every(({ fleet }) => fleet.levers !== null);
  return haveLevers && scenarios.length > 0 ? 'none' : choice;
}
