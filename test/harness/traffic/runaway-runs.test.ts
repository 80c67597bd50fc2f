import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import type { Scenario } from '../../../harness/scenario/scenario.ts';
import { describeTrace } from '../../../harness/traffic/describe-trace.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import { RUNAWAY_RUN, runawaysOf } from '../../../harness/traffic/runaway-runs.ts';
import { parseTrace, traceText } from '../../../harness/traffic/trace-text.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

function scenarioOf(per: string, target: string, via = 'via: detector, runaway: 400/s'): Scenario {
  const flip = `{ when: exposed, flip: { scope: ${per}, target: ${target}, mode: halt_all, ${via} } }`;
  return parseScenario(
    scenarioText({
      fleet: `fleet: { workers: 4, executors: 1, detectors: { writeRate: { per: ${per}, perSecond: 40 } } }`,
      traffic: 'traffic: { effects: 100/s }',
      timeline: `timeline:\n  - ${flip}\n  - { at: +1s, release: { scope: ${per}, target: ${target} } }`,
    }),
    'x.yaml',
    [],
  );
}

describe('runaways', () => {
  test('are as many as make the rate, and do nothing but write, in scope of their stop', () => {
    const { scenario, trace } = planDrill(scenarioOf('tenant', '$busiest'));
    const runs = runawaysOf(trace, 1);
    const [flip] = scenario.timeline;
    expect(runs).toHaveLength(400 / RUNAWAY_RUN.writesPerSecond);
    expect(new Set(runs.map(({ tenant }) => tenant))).toEqual(new Set([flip?.kind === 'flip' ? flip.target : '']));
    expect(runs.flatMap(({ plan }) => plan).every(({ access, journal }) => access === 'write' && journal)).toBe(true);
    expect(runs.every(({ plan }) => plan.length === RUNAWAY_RUN.writes)).toBe(true);
    expect(runawaysOf(trace, 2)).toEqual([]);
  });

  test('are of one agent where an agent is to be stopped', () => {
    const { trace } = planDrill(scenarioOf('agent', '$busiestAgent'));
    const runs = runawaysOf(trace, 1);
    expect(runs).toHaveLength(40);
    expect(new Set(runs.map(({ agent }) => agent)).size).toBe(1);
  });

  test('come from the seed, and are read back from the trace as they were drawn', () => {
    const { scenario, trace } = planDrill(scenarioOf('tenant', '$busiest'));
    expect(planDrill(scenario).trace).toEqual(trace);
    expect(runawaysOf(parseTrace(traceText(trace), 'trace'), 1)).toEqual(runawaysOf(trace, 1));
  });

  test('change nothing of the other traffic, and are not counted with it', () => {
    const { trace } = planDrill(scenarioOf('tenant', '$busiest'));
    const calm = planDrill(scenarioOf('tenant', '$busiest', 'via: alert')).trace;
    expect(trace.runs.filter(({ runaway }) => runaway !== true)).toEqual(calm.runs);
    expect(describeTrace(trace)).toEqual(describeTrace(calm));
  });
});
