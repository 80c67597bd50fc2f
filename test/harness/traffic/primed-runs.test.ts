import { describe, expect, test } from 'vitest';
import { switchMatches } from '../../../src/switch.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import type { FlipEntry, Scenario } from '../../../harness/scenario/scenario.ts';
import { isHeld } from '../../../harness/traffic/held.ts';
import { subjectOf } from '../../../harness/traffic/in-scope.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import type { PlanStep, TraceRun } from '../../../harness/traffic/trace.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

function scenarioOf(on: string, changes: Readonly<Record<string, string>> = {}, when = 'when: exposed'): Scenario {
  const timeline = `timeline:\n  - { ${when}, flip: { ${on}, mode: halt_all } }`;
  return parseScenario(scenarioText({ timeline, hold: 'hold: 10s', ...changes }), 'x.yaml', []);
}

function firstFlip({ timeline }: Scenario): FlipEntry {
  const flip = timeline.find((entry) => entry.kind === 'flip');
  if (flip === undefined) throw new Error('no flip');
  return flip;
}

interface Planted {
  readonly flip: FlipEntry;
  readonly primed: readonly TraceRun[];
  /** Each primed step with the run that it is of. */
  readonly steps: readonly { readonly run: TraceRun; readonly step: PlanStep; readonly index: number }[];
}

function planted(scenario: Scenario): Planted {
  const plan = planDrill(scenario);
  const primed = plan.trace.runs.filter((run) => run.primed === true);
  const steps = primed.flatMap((run) => run.plan.map((step, index) => ({ run, step, index })));
  return { flip: firstFlip(plan.scenario), primed, steps };
}

const WORKERS = 4;
const STEADY_MS = 3_000;
const WIDE = [
  'scope: global',
  'scope: tenant, target: $busiest',
  'scope: feature, target: checkout',
  'scope: agent, target: agent-x',
];
const CAPABILITIES = ['$busiestCapability', 'webhook/notify', 'write/*', 'agent/*'].map(
  (target) => `scope: capability, target: ${target}`,
);
const RUNS = ['scope: run, target: $primedRun', 'scope: run, target: run-000003'];

describe.each([...WIDE, ...CAPABILITIES, ...RUNS])('the primed runs of a stop of %s', (on) => {
  const { flip, primed, steps } = planted(scenarioOf(on));
  const held = steps.filter(({ run, index }) => isHeld(run, index));
  const covers = (run: TraceRun, step: PlanStep): boolean => switchMatches(flip, subjectOf(run, step.capability));

  test('hold calls in its scope past the budget', () => {
    expect(held.length).toBeGreaterThanOrEqual(flip.scope === 'run' ? 2 : 16 + WORKERS);
    for (const { run, step } of held) {
      expect(covers(run, step)).toBe(true);
      expect(step).toMatchObject({ journal: true, serviceMs: 18_000 });
      expect(step.deadlineMs).toBeGreaterThan(step.serviceMs);
    }
  });

  test('have a child that holds a call, and one that must not start any more', () => {
    expect(held.some(({ run }) => run.parent !== undefined)).toBe(true);
    const waiting = held.filter(({ run, index }) => run.plan.slice(index + 1).some(({ kind }) => kind === 'spawn'));
    expect(waiting.length).toBeGreaterThanOrEqual(flip.scope === 'run' ? 1 : 16);
  });

  test('are due before the stop, late enough to be held at it', () => {
    for (const { dueMs } of primed) {
      expect(dueMs).toBeGreaterThanOrEqual(0.3 * STEADY_MS);
      expect(dueMs).toBeLessThanOrEqual(0.8 * STEADY_MS);
    }
  });

  test('set what falls due in the hold, in scope', () => {
    const later = steps.filter(({ step }) => step.delayMs !== undefined);
    const kinds = later.map(({ step }) => (step.kind === 'call' || step.kind === undefined ? 'retry' : step.kind));
    const each = flip.scope === 'run' ? 1 : WORKERS;
    const counts = Object.fromEntries(
      ['timer', 'retry', 'webhook'].map((of) => [of, kinds.filter((one) => one === of).length]),
    );
    const capabilities = flip.scope === 'capability';
    const reachesWebhooks = !capabilities || flip.target === 'webhook/notify';
    const reachesCalls = flip.target !== 'agent/*';
    expect(counts).toEqual({
      timer: reachesCalls ? each : 0,
      retry: reachesCalls ? each : 0,
      webhook: reachesWebhooks ? each : 0,
    });
    for (const { run, step } of later) {
      expect(covers(run, step)).toBe(true);
      expect(step.journal).toBe(true);
      const dueMs = run.dueMs + (step.delayMs ?? 0);
      expect(dueMs).toBeGreaterThanOrEqual(STEADY_MS + 2_500);
      expect(dueMs).toBeLessThanOrEqual(STEADY_MS + 4_000);
    }
    const scheduled = primed.filter(({ startAfterMs }) => startAfterMs !== undefined);
    expect(scheduled).toHaveLength(flip.scope === 'run' || capabilities ? 0 : WORKERS);
    for (const { dueMs, startAfterMs = 0 } of scheduled)
      expect(dueMs + startAfterMs).toBeGreaterThanOrEqual(STEADY_MS + 2_500);
  });
});

test.each(RUNS)('the primed runs of a stop of %s are that run and its descendants', (on) => {
  const { flip, primed } = planted(scenarioOf(on));
  expect(primed.filter(({ parent }) => parent === undefined).map(({ run }) => run)).toEqual([flip.target]);
  expect(primed.every(({ run, lineage = [] }) => run === flip.target || lineage[0] === flip.target)).toBe(true);
});

test('a run that the traffic has by itself makes way, with its family, for the one that the scenario stops', () => {
  const base = planDrill(scenarioOf('scope: global')).trace.runs;
  const child = base.find(({ parent, primed }) => parent !== undefined && primed !== true);
  const parent = child?.parent?.run ?? '';
  const { trace } = planDrill(scenarioOf(`scope: run, target: ${child?.run ?? ''}`));
  expect(trace.runs.filter(({ run }) => run === child?.run)).toMatchObject([{ primed: true }]);
  expect(trace.runs.some(({ run }) => run === parent)).toBe(false);
});

test('the runs that hold calls take turns over the workers, at least two each', () => {
  const fleet = 'fleet: { workers: 3, agentsPerWorker: 1 }';
  const { primed } = planted(scenarioOf('scope: tenant, target: $busiest', { fleet }));
  const workers = primed
    .filter((run) => isHeld(run, 0) && run.parent === undefined)
    .map(({ agent }) => agent.split('.')[0]);
  expect(workers).toEqual(['worker-1', 'worker-2', 'worker-3', 'worker-1', 'worker-2', 'worker-3']);
});

test('a stop that comes later by the timeline has its primed runs later', () => {
  const { primed } = planted(scenarioOf('scope: global', {}, 'at: 8s'));
  for (const { dueMs } of primed) {
    expect(dueMs).toBeGreaterThanOrEqual(8_000 - 0.7 * STEADY_MS);
    expect(dueMs).toBeLessThanOrEqual(8_000 - 0.2 * STEADY_MS);
  }
});

test('what is due in a short hold is due before it ends', () => {
  const { steps } = planted(scenarioOf('scope: global', { hold: 'hold: 2s' }));
  for (const { run, step } of steps.filter(({ step: { delayMs } }) => delayMs !== undefined)) {
    expect(run.dueMs + (step.delayMs ?? 0)).toBeLessThanOrEqual(STEADY_MS + 2_500);
  }
});

test('what is there for a stop is not critical, whenever something else is left', () => {
  const scenario = scenarioOf('scope: feature, target: search');
  const critical = {
    capabilities: ['write/*', 'read/crm'],
    classes: [
      { name: 'busy', scope: 'agent', target: 'worker-1.agent-01' },
      { name: 'paying', scope: 'tenant', target: planDrill(scenario).trace.runs[0]?.tenant ?? '' },
    ],
  } as const;
  const { primed, steps } = planted({ ...scenario, fleet: { ...scenario.fleet, critical } });
  const [, paying] = critical.classes;
  expect(primed.length).toBeGreaterThan(0);
  expect(primed.every(({ tenant }) => tenant !== paying.target)).toBe(true);
  expect(primed.every(({ agent }) => agent !== 'worker-1.agent-01')).toBe(true);
  const held = steps.filter(({ run, index }) => isHeld(run, index));
  expect(new Set(held.map(({ step }) => step.capability))).toEqual(new Set(['model/chat']));
});
