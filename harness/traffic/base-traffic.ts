import { drillEndMs, plannedEffects } from '../scenario/drill-end.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { drawArrivals } from './arrivals.ts';
import { zipf } from './distributions.ts';
import { MIX, drawPlan } from './mix.ts';
import type { Names } from './names.ts';
import type { Prng } from './prng.ts';
import type { PlanStep, TraceRun } from './trace.ts';

/**
 * Ordinary runs: open-loop, so that the planned effects come to the scenario's rate over the whole drill, whatever the
 * fleet does. In order of `dueMs`; empty for a rate of 0.
 */
export function drawBaseTraffic(scenario: Scenario, names: Names, prng: Prng): readonly TraceRun[] {
  const plans = drawPlans(prng.split('plans'), plannedEffects(scenario));
  const arrivals = drawArrivals(prng.split('arrivals'), plans.length, drillEndMs(scenario));
  const [tenantPrng, featurePrng, agentPrng] = [prng.split('tenants'), prng.split('features'), prng.split('agents')];
  const drawTenant = zipf(names.tenants.length, MIX.tenantZipfExponent);
  const drawFeature = zipf(names.features.length, MIX.featureZipfExponent);
  const drawAgent = zipf(names.agents.length, 0);
  return plans.map((plan, i) => ({
    dueMs: arrivals[i] ?? 0,
    run: `run-${String(i + 1).padStart(6, '0')}`,
    tenant: names.tenants[drawTenant(tenantPrng)] ?? '',
    feature: names.features[drawFeature(featurePrng)] ?? '',
    agent: names.agents[drawAgent(agentPrng)] ?? '',
    plan,
  }));
}

/** Plans until they hold this many effects; the last one is cut short. */
function drawPlans(prng: Prng, effects: number): readonly (readonly PlanStep[])[] {
  const plans: (readonly PlanStep[])[] = [];
  for (let left = effects; left > 0; left -= plans.at(-1)?.length ?? left) plans.push(drawPlan(prng).slice(0, left));
  return plans;
}
