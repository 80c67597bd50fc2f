import { drillEndMs, plannedEffects } from '../scenario/drill-end.ts';
import type { DrawnTraffic, Scenario } from '../scenario/scenario.ts';
import { drawArrivals } from './arrivals.ts';
import { zipf } from './distributions.ts';
import { drawFamily } from './draw-plan.ts';
import { cutTo, effectsIn, runsOf } from './family-plan.ts';
import type { FamilyPlan } from './family-plan.ts';
import { MIX } from './mix.ts';
import type { Names } from './names.ts';
import type { Prng } from './prng.ts';
import { drawTimeMs } from './times.ts';
import type { TraceRun } from './trace.ts';

/**
 * Ordinary runs and their descendants: open-loop, so that the planned effects come to the scenario's rate over the whole
 * drill, whatever the fleet does. In order of `dueMs`, each parent before its children; empty for a rate of 0.
 */
export function drawBaseTraffic(
  scenario: Scenario,
  traffic: DrawnTraffic,
  names: Names,
  prng: Prng,
): readonly TraceRun[] {
  const families = drawFamilies(prng.split('plans'), plannedEffects(scenario, traffic));
  const arrivals = drawArrivals(prng.split('arrivals'), families.length, drillEndMs(scenario));
  const [tenantPrng, featurePrng, agentPrng] = [prng.split('tenants'), prng.split('features'), prng.split('agents')];
  const [childAgentPrng, schedulePrng] = [prng.split('child-agents'), prng.split('schedule')];
  const drawTenant = zipf(names.tenants.length, MIX.tenantZipfExponent);
  const drawFeature = zipf(names.features.length, MIX.featureZipfExponent);
  const drawAgent = zipf(names.agents.length, 0);
  return families.flatMap((family, i) => {
    const root = {
      dueMs: arrivals[i] ?? 0,
      run: `run-${String(i + 1).padStart(6, '0')}`,
      tenant: names.tenants[drawTenant(tenantPrng)] ?? '',
      feature: names.features[drawFeature(featurePrng)] ?? '',
      agent: names.agents[drawAgent(agentPrng)] ?? '',
      ...drawSchedule(schedulePrng),
    };
    return runsOf(family, { root, nextAgent: () => names.agents[drawAgent(childAgentPrng)] ?? '' });
  });
}

/** Families until they hold this many effects; the last one is cut short. */
function drawFamilies(prng: Prng, effects: number): readonly FamilyPlan[] {
  const families: FamilyPlan[] = [];
  for (let left = effects; left > 0;) {
    const family = cutTo(left, drawFamily(prng.split(String(families.length))));
    families.push(family);
    left -= effectsIn(family);
  }
  return families;
}

function drawSchedule(prng: Prng): Pick<TraceRun, 'startAfterMs'> {
  const { ofRuns, lead } = MIX.scheduled;
  return prng.uniform() < ofRuns ? { startAfterMs: drawTimeMs(prng, lead) } : {};
}
