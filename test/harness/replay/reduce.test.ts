import { describe, expect, it } from 'vitest';
import { PROPERTY_NAMES } from '../../../harness/checkers/registry.ts';
import { validated } from '../../../harness/replay/candidate.ts';
import { reducedPlan, wholeOf } from '../../../harness/replay/reduce-plan.ts';
import { entriesThatStay, reducedTimeline } from '../../../harness/replay/reduce-timeline.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { rootOf } from '../../../harness/traffic/family-plan.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import type { DrillPlan } from '../../../harness/traffic/plan-drill.ts';
import { onTrace } from '../../../harness/scenario/given-trace.ts';

const TEXT = (timeline: readonly string[]): string =>
  [
    'version: 1',
    'name: reduce',
    'description: A test.',
    'fleet: { workers: 2 }',
    'traffic: { effects: 100/s, tenants: 6 }',
    'steadyState: { for: 1s, effectsPerSecond: { min: 30 } }',
    'timeline:',
    ...timeline.map((entry) => `  - ${entry}`),
    'hold: 4s',
    'settle: 2s',
    '',
  ].join('\n');

function planOf(...timeline: readonly string[]): DrillPlan {
  const { scenario, trace } = planDrill(parseScenario(TEXT(timeline), 'reduce.yaml', PROPERTY_NAMES));
  return { scenario: onTrace(scenario, trace, 'trace.jsonl.gz'), trace };
}

const STOP = '{ when: exposed, flip: { scope: tenant, target: $busiest, mode: halt_all } }';
const RELEASE = '{ at: flip+hold, release: { scope: tenant, target: $busiest } }';
const FAULT = '{ at: +500ms, fault: { kind: kill, target: worker-1, for: 1s } }';
const MAIL = '{ at: +700ms, flip: { scope: capability, target: write/mail, mode: halt_all } }';
const MAIL_BACK = '{ at: flip+3s, release: { scope: capability, target: write/mail } }';

const plan = planOf(STOP, FAULT, MAIL, MAIL_BACK, RELEASE);
const whensOf = (kept: readonly number[]) =>
  reducedTimeline(plan.scenario, new Set(kept)).map(({ kind, when }) => [kind, when]);

describe('a timeline without some of its entries', () => {
  it('is itself when all are kept', () => {
    expect(reducedTimeline(plan.scenario, new Set(plan.scenario.timeline.keys()))).toEqual(plan.scenario.timeline);
  });

  it('counts from what a dropped entry counted from', () => {
    expect(whensOf([0, 2, 3, 4])[1]).toEqual(['flip', { kind: 'previous', offsetMs: 1_200 }]);
  });

  it('begins where the first stop was, when that is dropped', () => {
    expect(whensOf([2, 3])).toEqual([
      ['flip', { kind: 'exposed' }],
      ['release', { kind: 'flip', offsetMs: 3_000 }],
    ]);
    expect(whensOf([1, 2])).toEqual([
      ['fault', { kind: 'exposed' }],
      ['flip', { kind: 'previous', offsetMs: 700 }],
    ]);
  });

  it('loses the releases of stops that it has lost', () => {
    const { timeline } = plan.scenario;
    expect(entriesThatStay(timeline, [0, 1, 3, 4])).toEqual([0, 1, 4]);
    expect(entriesThatStay(timeline, [1, 2, 3, 4])).toEqual([1, 2, 3]);
    const twice = [...timeline, ...timeline.slice(4)];
    expect(entriesThatStay(twice, [0, 4, 5])).toEqual([0, 4]);
  });
});

describe('a drill without some of its traffic', () => {
  it('loses children with their parents, and can be read again', () => {
    const whole = wholeOf(plan);
    const children = plan.trace.runs.filter(({ parent }) => parent !== undefined);
    expect(children.length).toBeGreaterThan(5);
    const gone = new Set(children.slice(0, 3).map(rootOf));
    const left = reducedPlan(plan, { ...whole, families: whole.families.filter((family) => !gone.has(family)) });
    expect(left.trace.runs).toEqual(plan.trace.runs.filter((run) => !gone.has(rootOf(run))));
    const read = validated(left);
    expect(read.kind).toBe('valid');
    if (read.kind === 'valid') expect(read.plan.trace.runs).toEqual(left.trace.runs);
  });

  it('asks for less of a steady state', () => {
    const whole = wholeOf(plan);
    const half = reducedPlan(plan, { ...whole, families: whole.families.filter((_, nth) => nth % 2 === 0) });
    const { min } = half.scenario.steadyState.effectsPerSecond;
    expect(min).toBeGreaterThan(5);
    expect(min).toBeLessThan(25);
    expect(reducedPlan(plan, whole).scenario.steadyState).toEqual(plan.scenario.steadyState);
  });

  it('counts its effects among what is left of them', () => {
    const tenant = plan.trace.runs.find(({ probe }) => probe === undefined)?.tenant ?? '';
    const counted = planOf(
      `{ after: 'effect 40 of tenant:${tenant}', flip: { scope: tenant, target: '${tenant}', mode: halt_all } }`,
    );
    const whole = wholeOf(counted);
    const when = (families: readonly string[]) =>
      reducedPlan(counted, { ...whole, families }).scenario.timeline[0]?.when;
    expect(when(whole.families)).toMatchObject({ count: 40 });
    const ofTenant = new Set(counted.trace.runs.filter((run) => run.tenant === tenant).map(rootOf));
    expect(when(whole.families.filter((family) => ofTenant.has(family)))).toMatchObject({ count: 40 });
    expect(when(whole.families.filter((family) => !ofTenant.has(family)))).toMatchObject({ count: 1 });
    const few = [...ofTenant].slice(0, 2);
    const effects = counted.trace.runs
      .filter((run) => few.includes(rootOf(run)) && run.tenant === tenant)
      .reduce((sum, run) => sum + run.plan.length, 0);
    expect(when(few)).toMatchObject({ count: Math.min(40, effects) });
  });

  it('is refused, not tried, when it is no scenario any more', () => {
    const whole = wholeOf(plan);
    expect(validated(reducedPlan(plan, { ...whole, families: [] }))).toMatchObject({ kind: 'refused' });
    const stopless = validated(reducedPlan(plan, { ...whole, entries: [1] }));
    expect(stopless).toMatchObject({ kind: 'refused', why: expect.stringMatching(/no flip/) as string });
  });
});
