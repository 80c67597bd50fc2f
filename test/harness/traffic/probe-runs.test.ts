import { describe, expect, test } from 'vitest';
import { switchMatches } from '../../../src/switch.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import type { Scenario } from '../../../harness/scenario/scenario.ts';
import { subjectOf } from '../../../harness/traffic/in-scope.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import { probesOf } from '../../../harness/traffic/probe-runs.ts';
import { scenarioText, timelineText } from '../scenario/scenario-text.ts';

function scenarioOf(...entries: readonly string[]): Scenario {
  return parseScenario(scenarioText({ timeline: timelineText(...entries) }), 'x.yaml', []);
}

const more = [
  '{ at: +1s, flip: { scope: run, target: $primedRun, mode: halt_all } }',
  '{ at: +1s, release: { scope: tenant, target: $busiest } }',
  '{ at: +1s, flip: { scope: global, mode: emergency } }',
  '{ at: +1s, flip: { scope: capability, target: write/*, mode: halt_all } }',
];

describe('probes', () => {
  const { scenario, trace } = planDrill(scenarioOf(...more));
  const flips = scenario.timeline.filter((entry) => entry.kind === 'flip' || entry.kind === 'release');

  test('are three for each stop, in its scope as a whole, counted as the drill counts its flips', () => {
    expect([1, 2, 3, 4, 5].map((flip) => probesOf(trace, flip).length)).toEqual([3, 3, 0, 3, 0]);
    for (const [i, on] of flips.entries()) {
      if (on.kind !== 'flip') continue;
      for (const probe of probesOf(trace, i + 1)) expect(switchMatches(on, subjectOf(probe, null))).toBe(true);
    }
  });

  test('are in scope of a run by lineage, under ids of their own', () => {
    const ids = trace.runs.filter(({ probe }) => probe).map(({ run }) => run);
    expect(new Set(ids).size).toBe(9);
    expect(probesOf(trace, 2).every(({ lineage }) => lineage?.[0] === 'primed-001')).toBe(true);
    expect(probesOf(trace, 1).every(({ lineage }) => lineage === undefined)).toBe(true);
  });

  test('change nothing of the traffic', () => {
    const without = planDrill(scenarioOf()).trace.runs.filter(({ probe }) => !probe);
    const ordinary = trace.runs.filter(({ probe }) => !probe);
    const plansOf = (runs: typeof ordinary) => runs.filter(({ primed }) => !primed).map(({ plan }) => plan);
    expect(plansOf(ordinary).slice(0, 100)).toEqual(plansOf(without).slice(0, 100));
  });

  test('find another id when a scenario stops a run of theirs', () => {
    const odd = planDrill(scenarioOf('{ at: +1s, flip: { scope: run, target: probe-1-2, mode: halt_all } }'));
    expect(probesOf(odd.trace, 1).map(({ run }) => run)).toEqual(['probe-1-1', 'probe-1-2', 'probe-1-3']);
    const first = parseScenario(
      scenarioText({
        timeline: 'timeline:\n  - { when: exposed, flip: { scope: run, target: probe-1-2, mode: halt_all } }',
      }),
      'x.yaml',
      [],
    );
    expect(probesOf(planDrill(first).trace, 1).map(({ run }) => run)).toEqual(['probe-1-1', 'probe-1-2x', 'probe-1-3']);
  });
});
