import { Faker, base, en } from '@faker-js/faker';
import type { DrawnTraffic, Scenario } from '../scenario/scenario.ts';
import { isSelector } from '../scenario/selectors.ts';
import type { Scope } from '../../src/switch.ts';
import { MIX } from './mix.ts';
import type { Prng } from './prng.ts';

const NAME_LENGTH = 24;

/** Who takes part in a drill, busiest first where that matters. */
export interface Names {
  readonly tenants: readonly string[];
  readonly features: readonly string[];
  /** `worker-1.agent-01` and so on, by turns of workers. Which worker runs an agent's work is up to the fleet. */
  readonly agents: readonly string[];
}

/** Names for a scenario; those that its timeline calls by name are among them. */
export function drawNames(scenario: Scenario, { tenants }: DrawnTraffic, prng: Prng): Names {
  const { fleet } = scenario;
  const agents = Array.from({ length: fleet.workers * fleet.agentsPerWorker }, (_, i) => {
    const number = String(Math.floor(i / fleet.workers) + 1).padStart(2, '0');
    return `worker-${(i % fleet.workers) + 1}.agent-${number}`;
  });
  return {
    tenants: including(drawTenants(prng, tenants), called(scenario, 'tenant')),
    features: including(MIX.features, called(scenario, 'feature')),
    agents: including(agents, called(scenario, 'agent')),
  };
}

/** Different fake companies, as short names in lower case. */
function drawTenants(prng: Prng, count: number): readonly string[] {
  const faker = new Faker({ locale: [en, base], seed: prng.bits32() });
  const names = new Set<string>();
  for (let i = 1; names.size < count; i++) {
    const name = faker.company
      .name()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, NAME_LENGTH)
      .replace(/^-|-$/g, '');
    names.add(names.has(name) ? `${name}-${i}` : name);
  }
  return [...names];
}

/** Targets of one scope that the timeline's stops name themselves. */
function called(scenario: Scenario, scope: Scope): readonly string[] {
  const targets = scenario.timeline.flatMap((entry) => {
    const named = entry.kind === 'flip' && entry.scope === scope && !isSelector(entry.target);
    return named ? [entry.target] : [];
  });
  return [...new Set(targets)];
}

/** The names with `wanted` among them, in place of others from the second on: the busiest one stays who it is. */
function including(names: readonly string[], wanted: readonly string[]): readonly string[] {
  const missing = wanted.filter((name) => !names.includes(name));
  const kept = names.filter((name, rank) => rank === 0 || wanted.includes(name) || rank > missing.length);
  return [...kept.slice(0, 1), ...missing, ...kept.slice(1)];
}
