import type { Judgement } from '../checkers/verdict-file.ts';
import { PROPERTY_NAMES } from '../checkers/registry.ts';
import type { KeptVerdicts } from '../regression/regression-file.ts';
import { parseScenario } from '../scenario/parse.ts';
import { ScenarioError } from '../scenario/scenario-error.ts';
import { scenarioToYaml } from '../scenario/to-yaml.ts';
import { planDrill } from '../traffic/plan-drill.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';

/** A drill as it would be read from its files, or why the validator refuses it. */
export type Validated =
  | { readonly kind: 'valid'; readonly plan: DrillPlan; readonly yaml: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Writes a drill as a file and reads that: what is tried is what is handed over in the end. */
export function validated({ scenario, trace }: DrillPlan): Validated {
  const yaml = scenarioToYaml(scenario);
  try {
    const read = parseScenario(yaml, 'scenario.yaml', PROPERTY_NAMES, () => trace);
    return { kind: 'valid', plan: planDrill(read), yaml };
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    return { kind: 'refused', why: error.message };
  }
}

/**
 * Why a drill does not show what the stored run showed, a sentence; null when it does: the same verdict, and whatever failed
 * then fails.
 */
export function lostIn(judgement: Judgement, stored: KeptVerdicts): string | null {
  const { verdict, worst } = judgement;
  if (verdict !== stored.verdict) return `the verdict is ${verdict}${worst === null ? '' : ` (${worst.name})`}`;
  const now = new Map([...judgement.properties, ...judgement.expectations].map((one) => [one.name, one.verdict]));
  const missing = failingOf(stored).filter((name) => now.get(name) !== 'fail');
  return missing.length === 0 ? null : `${missing.join(', ')} ${missing.length === 1 ? 'does' : 'do'} not fail`;
}

/** Properties and expectations that failed. */
export function failingOf({ properties, expectations }: KeptVerdicts): readonly string[] {
  return Object.entries({ ...properties, ...expectations })
    .filter(([, verdict]) => verdict === 'fail')
    .map(([name]) => name);
}
