import { KilldrillError } from '../../src/errors.ts';
import type { Environment } from '../environment/environment.ts';
import type { Scenario } from '../scenario/scenario.ts';

type Drilled = Pick<Scenario, 'name' | 'timeline'> & { readonly fleet: Pick<Scenario['fleet'], 'levers'> };

/** Why a scenario cannot be drilled in this environment; null when it can. A drill of it would show nothing, so none is run. */
export function lacking({ name, timeline, fleet }: Drilled, environment: Pick<Environment, 'name' | 'kafka'>): string | null {
  if (fleet.levers !== null) return null;
  if (environment.name === 'none')
    return `${name} needs PostgreSQL, which the environment none has not: choose --environment embedded, or another with servers`;
  if (environment.kafka !== null) return null;
  const onKafka = timeline.find((entry) => entry.kind === 'fault' && entry.target === 'kafka');
  if (onKafka?.kind !== 'fault') return null;
  return `${name} needs Kafka, for the ${onKafka.fault} of it; the alert bus of the environment ${environment.name} is PostgreSQL: choose --environment local or containers`;
}

/** A scenario that is not drilled, and why. */
export interface Skipped {
  readonly scenario: string;
  readonly why: string;
}

/**
 * Those that can be drilled in this environment, and why the others are skipped.
 *
 * @throws KilldrillError `ENVIRONMENT_LACKS` when none can.
 */
export function sortOut<T extends { readonly scenario: Drilled }>(
  wanted: readonly T[],
  environment: Pick<Environment, 'name' | 'kafka'>,
): { readonly able: readonly T[]; readonly skipped: readonly Skipped[] } {
  const lacks = wanted.map(({ scenario }) => lacking(scenario, environment));
  const skipped = wanted.flatMap(({ scenario }, at) => {
    const why = lacks[at] ?? null;
    return why === null ? [] : [{ scenario: scenario.name, why }];
  });
  const able = wanted.filter((_, at) => lacks[at] === null);
  if (able.length === 0 && skipped.length > 0)
    throw new KilldrillError('ENVIRONMENT_LACKS', skipped.map(({ why }) => why).join('; '));
  return { able, skipped };
}
