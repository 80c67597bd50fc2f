import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { describeTrace } from '../../../harness/traffic/describe-trace.ts';
import type { TimesFit } from '../../../harness/traffic/describe-trace.ts';
import { intendedFit } from '../../../harness/traffic/expected-fit.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

const long = scenarioText({ traffic: 'traffic: { effects: 1000/s }', hold: 'hold: 3m' });
const { trace } = planDrill(parseScenario(long, 'x.yaml', []));
const fit = describeTrace(trace);

/** Within a share of the intended. */
function expectNear(drawn: number, intended: number | null, tolerance: number): void {
  if (intended === null) throw new Error('the mix states nothing');
  expect(drawn).toBeGreaterThan(intended * (1 - tolerance));
  expect(drawn).toBeLessThan(intended * (1 + tolerance));
}

test('intended shares come to one', () => {
  const { kinds, capabilities } = intendedFit();
  for (const shares of [kinds, capabilities]) {
    expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  }
});

describe('a long trace comes out as the mix states it', () => {
  test.each(fit.kinds.map((row) => [row.kind, row] as const))('in the share of kind %s', (_, { share, intended }) => {
    expectNear(share, intended, 0.05);
  });

  test.each(fit.capabilities.map((row) => [row.capability, row] as const))('in capability %s', (_, row) => {
    expectNear(row.share, row.intended, 0.05);
    expectTimes(row.service);
  });

  test('in retries, children, scheduled runs and effects per run', () => {
    for (const { share, intended } of [fit.refused, fit.refusedTwice, fit.attached, fit.scheduled]) {
      expectNear(share, intended, 0.1);
    }
    for (const { drawn, intended } of [fit.childrenPerRun, fit.effectsPerRun]) expectNear(drawn, intended, 0.05);
  });

  test('in how far ahead timers, retries and scheduled runs lie', () => {
    for (const times of [fit.timerLead, fit.retryDelay, fit.scheduleLead]) expectTimes(times);
    expect(fit.timerLead.drawn?.longest).toBeGreaterThan(180_000);
    expect(fit.timersBeyondHold).toBeGreaterThan(0);
  });
});

function expectTimes({ intended, drawn }: TimesFit): void {
  expectNear(drawn?.p50 ?? 0, intended?.p50 ?? null, 0.1);
  expectNear(drawn?.p90 ?? 0, intended?.p90 ?? null, 0.15);
}

test('primed runs and probes are counted apart', () => {
  expect(fit).toMatchObject({
    probes: 3,
    runs: fit.runs,
    children: fit.kinds.find(({ kind }) => kind === 'spawn')?.count,
  });
  const ordinary = trace.runs.filter(({ primed, probe }) => !primed && !probe);
  expect(fit.effects).toBe(ordinary.reduce((sum, { plan }) => sum + plan.length, 0));
  expect(fit.runs + fit.children).toBe(ordinary.length);
  expect(fit.primedRuns).toBe(trace.runs.length - ordinary.length - 3);
});
