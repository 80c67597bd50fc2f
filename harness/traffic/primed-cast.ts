import { capabilityMatches, switchMatches } from '../../src/switch.ts';
import type { FlipEntry, Scenario } from '../scenario/scenario.ts';
import { CALL_CAPABILITIES, CAPABILITY_NAMES } from './capabilities.ts';
import type { Capability } from './capabilities.ts';
import { wholeBetween } from './distributions.ts';
import { movedIntoScope } from './in-scope.ts';
import type { Names } from './names.ts';
import type { Prng } from './prng.ts';
import type { TraceRun } from './trace.ts';

/** The names of one run. */
export type Who = Pick<TraceRun, 'tenant' | 'feature' | 'agent'>;

/**
 * Whom the harness gives work to that is there for a stop: in the stop's scope, and of no critical class, since what is critical
 * may pass. Agents by turns, and so by turns of workers.
 */
export class PrimedCast {
  readonly #flip: FlipEntry;
  readonly #names: Names;
  readonly #prng: Prng;
  #nextAgent: number;

  constructor(scenario: Scenario, flip: FlipEntry, names: Names, prng: Prng) {
    const { classes } = scenario.fleet.critical;
    const isFree = (who: Partial<Who>): boolean =>
      !classes.some((one) => switchMatches(one, { ...NOBODY, ...who, run: '', lineage: [], capability: null }));
    this.#flip = flip;
    this.#names = {
      tenants: freeOf(names.tenants, (tenant) => isFree({ tenant })),
      features: freeOf(names.features, (feature) => isFree({ feature })),
      agents: freeOf(names.agents, (agent) => isFree({ agent })),
    };
    this.#prng = prng;
    this.#nextAgent = wholeBetween(prng, 0, scenario.fleet.agentsPerWorker - 1) * scenario.fleet.workers;
  }

  /** Somebody in scope, as far as names can make it so. */
  next(): Who {
    const { tenants, features, agents } = this.#names;
    const who = {
      tenant: pick(tenants, wholeBetween(this.#prng, 0, tenants.length - 1)),
      feature: pick(features, wholeBetween(this.#prng, 0, features.length - 1)),
      agent: pick(agents, this.#nextAgent),
    };
    this.#nextAgent += 1;
    const { tenant, feature, agent } = movedIntoScope(this.#flip, { dueMs: 0, run: '', ...who, plan: [] });
    return { tenant, feature, agent };
  }

  /** The agent of somebody's child: a stop of an agent is to cover it, too. */
  nextChildAgent(): string {
    if (this.#flip.scope === 'agent') return this.#flip.target;
    const { agents } = this.#names;
    return pick(agents, wholeBetween(this.#prng, 0, agents.length - 1));
  }
}

/** No class is about an empty name. */
const NOBODY: Who = { tenant: '', feature: '', agent: '' };

/** The capability of calls that are there to be stopped: in scope, and not critical if there is such a one. */
export function stoppableCapability({ fleet }: Scenario, flip: FlipEntry): Capability {
  const isCritical = (name: string): boolean =>
    fleet.critical.capabilities.some((pattern) => capabilityMatches(pattern, name));
  const inScope = CAPABILITY_NAMES.filter((name) => capabilityMatches(flip.target, name));
  const wanted = flip.scope === 'capability' ? inScope : ['write/crm' as const, ...CALL_CAPABILITIES];
  return wanted.find((name) => !isCritical(name)) ?? wanted[0] ?? 'model/chat';
}

/** Those names that are free, or all if none is: a drill must have somebody. */
function freeOf(names: readonly string[], isFree: (name: string) => boolean): readonly string[] {
  const free = names.filter(isFree);
  return free.length > 0 ? free : names;
}

function pick(names: readonly string[], index: number): string {
  return names[index % names.length] ?? '';
}
