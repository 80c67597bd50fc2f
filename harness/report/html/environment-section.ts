import { scenarioToYaml } from '../../scenario/to-yaml.ts';
import { describeTrace } from '../../traffic/describe-trace.ts';
import type { DrillRecord } from '../../drill/drill.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import type { ReportInput } from './report-input.ts';

const MOST_TENANTS = 10;

/** Where the drill ran, on what traffic, and the scenario as it was resolved. */
export function environmentSection({ record, environment }: ReportInput): Markup {
  const where =
    environment === null
      ? markup`<p>The bundle does not say where it ran.</p>`
      : markup`${facts('Servers', environment.environment)}${facts('Machine', environment.machine)}`;
  return markup`<div class="columns">${where}${trafficFacts(record)}</div><details><summary>Scenario, as resolved</summary><pre tabindex="0"><code>${scenarioToYaml(record.scenario)}</code></pre></details>`;
}

function facts(title: string, of: Readonly<Record<string, string | number | boolean | null>>): Markup {
  const pairs = Object.entries(of).map(
    ([name, value]) => markup`<dt>${name}</dt><dd>${value === null ? '–' : String(value)}</dd>`,
  );
  return markup`<section><h3>${title}</h3><dl class="facts">${pairs}</dl></section>`;
}

function trafficFacts({ trace }: Pick<DrillRecord, 'trace'>): Markup {
  const fit = describeTrace(trace);
  const tenants = fit.tenants.slice(0, MOST_TENANTS).map(({ tenant, effects }) => `${tenant} ${effects}`);
  const more = fit.tenants.length - tenants.length;
  return facts('Traffic', {
    runs: fit.runs,
    effects: fit.effects,
    'effects per second': Number(fit.effectsPerSecond.toFixed(1)),
    'child runs': fit.children,
    'primed runs': fit.primedRuns,
    probes: fit.probes,
    'effects by tenant': `${tenants.join(', ')}${more > 0 ? ` and ${more} tenants more` : ''}`,
  });
}
