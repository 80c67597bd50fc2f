import { lacking } from '../drill/lacking.ts';
import type { Environment } from '../environment/environment.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { GateSubject } from './gate-subject.ts';

/**
 * Why a kept run cannot be drilled here, before anything is started for it; null when it can.
 *
 * @param fleet the command of the fleet that is drilled now; null for the one of its scenario
 */
export function notDrillable(
  { plan: { scenario }, alertBus }: Pick<GateSubject, 'plan' | 'alertBus'>,
  environment: Pick<Environment, 'name' | 'kafka'>,
  fleet: readonly string[] | null,
): string | null {
  const lacks = lacking(scenario, environment);
  if (lacks !== null) return lacks;
  if (alertBus === 'kafka' && environment.kafka === null)
    return `its alerts went over Kafka, and the alert bus of the environment ${environment.name} is PostgreSQL: choose --environment local or containers`;
  const seam = fleet === null ? null : simulatedOnly(scenario);
  if (seam === null) return null;
  return `it was kept of the simulated fleet, and ${seam}; the fleet of gate.yaml is told nothing of that`;
}

/** What of a scenario no other fleet than the simulated one knows of; null for nothing. */
function simulatedOnly({ fleet, timeline }: Scenario): string | null {
  if (fleet.command !== null) return null;
  if (fleet.deafTools.length > 0) return `tools of it (${fleet.deafTools.join(', ')}) ignore their signals`;
  const clock = timeline.some((entry) => entry.kind === 'fault' && entry.fault === 'clock');
  return clock ? 'the clock of a worker of it is set off' : null;
}
