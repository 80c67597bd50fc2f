import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drillEndMs } from '../../../harness/scenario/drill-end.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import type { FlipEntry, Scenario } from '../../../harness/scenario/scenario.ts';
import { switchMatches } from '../../../src/switch.ts';
import { subjectOf } from '../../../harness/traffic/in-scope.ts';
import { beginsHeld } from '../../../harness/traffic/held.ts';
import { describeTrace } from '../../../harness/traffic/describe-trace.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import { parseTrace, traceText } from '../../../harness/traffic/trace-text.ts';
import type { PlanStep, Trace, TraceRun } from '../../../harness/traffic/trace.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

/** Every scope, by selector and by a name that the traffic would not have by itself. */
const SWITCHES = [
  'scope: global',
  'scope: tenant, target: $busiest',
  'scope: tenant, target: Acme & Sons',
  'scope: feature, target: checkout',
  'scope: capability, target: $busiestCapability',
  'scope: capability, target: webhook/notify',
  'scope: capability, target: write/*',
  'scope: agent, target: agent-x',
  'scope: run, target: $primedRun',
  'scope: run, target: run-000003',
] as const;

function scenarioOf(on: string, changes: Readonly<Record<string, string>> = {}): Scenario {
  const timeline = `timeline:\n  - { when: exposed, flip: { ${on}, mode: halt_all } }`;
  return parseScenario(scenarioText({ timeline, ...changes }), 'x.yaml', []);
}

function firstFlip(scenario: Scenario): FlipEntry {
  const flip = scenario.timeline.find((entry) => entry.kind === 'flip');
  if (flip === undefined) throw new Error('no flip');
  return flip;
}

function covers(on: FlipEntry, run: TraceRun, { capability }: PlanStep): boolean {
  return switchMatches(on, subjectOf(run, capability));
}

function isOrdinary({ primed, probe }: TraceRun): boolean {
  return primed !== true && probe !== true;
}

test('the same scenario gives the same trace to the byte, another seed another', () => {
  const scenario = scenarioOf(SWITCHES[1]);
  expect(traceText(planDrill(scenario).trace)).toBe(traceText(planDrill(scenario).trace));
  expect(traceText(planDrill({ ...scenario, seed: 2 }).trace)).not.toBe(traceText(planDrill(scenario).trace));
});

test('another fleet does not change what the plans are', () => {
  const plans = (scenario: Scenario): readonly string[] =>
    planDrill(scenario)
      .trace.runs.filter(isOrdinary)
      .map(({ plan }) => JSON.stringify(plan));
  const scenario = scenarioOf('scope: global');
  expect(plans({ ...scenario, fleet: { ...scenario.fleet, workers: 7 } })).toEqual(plans(scenario));
});

describe.each(SWITCHES)('a drill that stops %s', (on) => {
  const scenario = scenarioOf(on);
  const plan = planDrill(scenario);
  const flip = firstFlip(plan.scenario);
  const steadyMs = scenario.steadyState.forMs;

  test('has ordinary work in scope during the steady state, and work out of scope', () => {
    const ordinary = plan.trace.runs.filter(isOrdinary);
    const early = ordinary.filter((run) => run.dueMs < steadyMs && run.plan.some((step) => covers(flip, run, step)));
    if (flip.scope !== 'run') expect(early.length).toBeGreaterThanOrEqual(scenario.fleet.workers);
    const outside = ordinary.filter((run) => run.plan.some((step) => !covers(flip, run, step)));
    if (flip.scope !== 'global') expect(outside.length).toBeGreaterThan(ordinary.length / 3);
  });

  test('leaves no selector, and the resolved scenario plans the same drill', () => {
    expect(JSON.stringify(plan.scenario.timeline)).not.toContain('"$');
    const again = planDrill(plan.scenario);
    expect(again.scenario).toEqual(plan.scenario);
    expect(traceText(again.trace)).toBe(traceText(plan.trace));
  });

  test('reads back as what it is: links between parents and children included', () => {
    expect(parseTrace(traceText(plan.trace), 'x')).toEqual(plan.trace);
  });

  test('has different run ids, in order of time', () => {
    const { runs } = plan.trace;
    expect(new Set(runs.map(({ run }) => run)).size).toBe(runs.length);
    expect(runs.map(({ dueMs }) => dueMs)).toEqual(runs.map(({ dueMs }) => dueMs).toSorted((a, b) => a - b));
  });
});

test('the planned effects come to the rate, for any seed, until the end of the drill', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_294_967_295 }),
      fc.integer({ min: 1, max: 400 }),
      (seed, effectsPerSecond) => {
        const base = scenarioOf('scope: global');
        const scenario = { ...base, seed, traffic: { ...base.traffic, effectsPerSecond } };
        const fit = describeTrace(planDrill(scenario).trace);
        expect(fit.effects).toBe((effectsPerSecond * drillEndMs(scenario)) / 1_000);
        expect(fit.seconds).toBeLessThan(drillEndMs(scenario) / 1_000);
      },
    ),
    { numRuns: 30 },
  );
});

test('the steady state gets more than half of the rate whatever the seed', () => {
  const scenario = scenarioOf('scope: global');
  for (let seed = 0; seed < 50; seed++) {
    const early = planDrill({ ...scenario, seed }).trace.runs.filter((run) => isOrdinary(run) && run.dueMs < 3_000);
    expect(early.reduce((sum, { plan }) => sum + plan.length, 0)).toBeGreaterThan(300);
  }
});

describe('production traffic', () => {
  const { trace } = planDrill(scenarioOf('scope: global', { hold: 'hold: 2m' }));
  const fit = describeTrace(trace);
  const ordinary = trace.runs.filter(isOrdinary);
  const arriving = ordinary.filter(({ parent }) => parent === undefined);
  const steps = ordinary.flatMap(({ plan }) => plan);

  test('is mostly model calls, and has every capability', () => {
    expect(fit.capabilities[0]).toMatchObject({ capability: 'model/chat' });
    expect(fit.capabilities[0]?.share).toBeGreaterThan(0.5);
    expect(fit.capabilities).toHaveLength(7);
  });

  test('has plans of 2 to 9 steps', () => {
    const lengths = arriving.slice(0, -1).map(({ plan }) => plan.length);
    expect(Math.max(...lengths)).toBe(9);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThanOrEqual(1);
  });

  test('has service times with a tail, capped, and deadlines well beyond them', () => {
    expect(Math.max(...steps.map(({ serviceMs }) => serviceMs))).toBeGreaterThan(1_000);
    expect(steps.every(({ serviceMs }) => serviceMs >= 1 && serviceMs <= 2_000)).toBe(true);
    expect(steps.every(({ serviceMs, deadlineMs }) => deadlineMs >= Math.max(2_000, 4 * serviceMs))).toBe(true);
    const model = fit.capabilities.find(({ capability }) => capability === 'model/chat');
    expect((model?.service.drawn?.p50 ?? 0) / 120).toBeCloseTo(1, 1);
  });

  test('has journal-free reads and no journal-free writes', () => {
    const free = steps.filter(({ journal }) => !journal);
    expect(free.length).toBeGreaterThan(0);
    expect(free.every(({ capability, access }) => capability === 'read/crm' && access === 'read')).toBe(true);
  });

  test('gives the first tenants most of the work, and every tenant some', () => {
    expect(fit.tenants).toHaveLength(20);
    expect(fit.tenants[0]?.share).toBeGreaterThan(0.2);
    expect(fit.tenants[2]?.share).toBeGreaterThan(0.04);
  });

  test('comes in bursts', () => {
    const perSecond = Array.from({ length: Math.floor(fit.seconds) }, () => 0);
    for (const { dueMs } of arriving)
      perSecond[Math.floor(dueMs / 1_000)] = (perSecond[Math.floor(dueMs / 1_000)] ?? 0) + 1;
    const mean = arriving.length / perSecond.length;
    const variance = perSecond.reduce((sum, one) => sum + (one - mean) ** 2, 0) / perSecond.length;
    // A Poisson process would have 1.
    expect(variance / mean).toBeGreaterThan(1.5);
  });
});

describe('without traffic', () => {
  test.each(SWITCHES)('a drill that stops %s has an empty trace and a placeholder for a target', (on) => {
    const { scenario, trace } = planDrill(scenarioOf(on, { traffic: 'traffic: { effects: 0/s }' }));
    expect(trace.runs).toEqual([]);
    expect(firstFlip(scenario).target).not.toMatch(/^\$/);
    expect(describeTrace(trace)).toMatchObject({ runs: 0, effects: 0, effectsPerSecond: 0, capabilities: [] });
  });
});

test('very little traffic still plans a drill', () => {
  const { trace } = planDrill(
    scenarioOf(SWITCHES[1], {
      traffic: 'traffic: { effects: 0.1/s, tenants: 1 }',
      fleet: 'fleet: { workers: 1, agentsPerWorker: 1 }',
    }),
  );
  expect(trace.runs.filter(({ primed, plan }) => primed === true && plan[0]?.serviceMs === 18_000)).toHaveLength(3);
});

test('ten thousand tenants have ten thousand names', () => {
  const { trace } = planDrill(scenarioOf(SWITCHES[1], { traffic: 'traffic: { effects: 5000/s, tenants: 10000 }' }));
  expect(trace.runs.every(({ tenant }) => tenant !== '')).toBe(true);
  expect(describeTrace(trace).tenants.length).toBeGreaterThan(4_000);
});

test('a trace beyond the bound is refused', () => {
  const scenario = { ...scenarioOf('scope: global', { traffic: 'traffic: { effects: 5000/s }' }), holdMs: 600_000 };
  expect(() => planDrill(scenario)).toThrow(expect.objectContaining({ code: 'TRACE_TOO_LARGE' }));
});

describe('a trace that is given', () => {
  const drawn = planDrill(scenarioOf('scope: tenant, target: $busiest'));
  const [traffic, primed] = ['traffic: { trace: t }', 'traffic: { trace: t, primed: true }'];
  const timeline = `timeline:\n  - when: exposed\n    flip: { scope: tenant, target: $busiest, mode: halt_all }`;
  const given = (trace: Trace, line: string) =>
    planDrill(parseScenario(scenarioText({ timeline, traffic: line }), 'x.yaml', [], () => trace));

  test('is taken to the letter, with what selectors come to in its ordinary runs', () => {
    const { scenario, trace } = given(drawn.trace, traffic);
    expect(trace).toEqual(drawn.trace);
    expect(scenario.timeline).toEqual(drawn.scenario.timeline);
    expect(scenario.traffic).toMatchObject({ kind: 'given', file: 'trace.jsonl.gz', primed: false });
  });

  test('keeps its runs as they are and gets those for the stop, if the scenario asks for them', () => {
    const ordinary = drawn.trace.runs.filter(isOrdinary);
    const { runs: _, ...generator } = drawn.trace.header.generator;
    const bare = { header: { ...drawn.trace.header, generator }, runs: ordinary };
    const plan = given(bare, primed);
    expect(plan.trace.runs.filter(isOrdinary)).toEqual(ordinary);
    expect(plan.trace.runs.filter(({ probe }) => probe)).toHaveLength(3);
    const held = plan.trace.runs.filter(beginsHeld);
    expect(held.length).toBeGreaterThanOrEqual(2 * plan.scenario.fleet.workers);
    expect(new Set(held.map(({ tenant }) => tenant))).toEqual(new Set([drawn.trace.runs.find(beginsHeld)?.tenant]));
    // What a bundle keeps is the whole trace, and the plan of a bundle's scenario is that trace again.
    expect(parseTrace(traceText(plan.trace), 't')).toEqual(plan.trace);
    expect(planDrill(plan.scenario)).toEqual(plan);
  });
});
