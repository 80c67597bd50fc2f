import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, effect, fault, find, plus, without, withScenario, withoutStops } from './history-builder.ts';
import type { Timed } from './history-builder.ts';

const PROPERTY = 'no_effect_after_stop';
const clean = cleanDrill();
const BUDGET_MS = 600;

/** A new arrival of a run of acme, which is stopped (`run-0`), or of beta, which is not (`run-1`). */
function arrival(
  atMs: number,
  more: { readonly t1Ms?: number; readonly run?: string; readonly worker?: number } = {},
): readonly Timed[] {
  return effect({ atMs, worker: 1, run: 'run-0', capability: 'model/chat', key: `late-${atMs}`, ...more });
}

describe(PROPERTY, () => {
  it('passes a clean drill', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass' });
  });

  it('fails on one effect moved behind the budget, and names it', () => {
    const victim = find(clean, 'effect.arrived', ({ run, worker }) => run === 'run-30' && worker === 'worker-1');
    const draft = changed(clean, (timed) => (timed === victim ? { ...timed, atMs: AT.stop + 900 } : timed));
    expect(check(PROPERTY, draft)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('900 ms after the stop of tenant:acme'),
      evidence: {
        effect: victim.body.effect,
        worker: 'worker-1',
        tenant: 'acme',
        run: 'run-30',
        revision: 1,
        afterRequestMs: 900,
      },
    });
  });

  it('fails whenever and wherever one in-scope effect comes after the budget', () => {
    const late = fc.double({ min: AT.stop + BUDGET_MS + 0.01, max: AT.release - 0.01, noNaN: true });
    fc.assert(
      fc.property(late, fc.constantFrom(1, 2), (atMs, worker) => {
        expect(check(PROPERTY, plus(clean, ...arrival(atMs, { worker }))).verdict).toBe('fail');
      }),
      { numRuns: 40 },
    );
  });

  it('never minds an effect out of scope, at any time', () => {
    fc.assert(
      fc.property(fc.double({ min: AT.traffic, max: AT.drain, noNaN: true }), (atMs) => {
        expect(check(PROPERTY, plus(clean, ...arrival(atMs, { run: 'run-1' }))).verdict).toBe('pass');
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['2 ms after the flip was durable', AT.durable + 2],
    ['at the very end of the budget', AT.stop + BUDGET_MS],
    ['as soon as the release was asked for', AT.release + 0.5],
  ])('passes an effect that only looks guilty: %s', (_, atMs) => {
    expect(check(PROPERTY, plus(clean, ...arrival(atMs)))).toMatchObject({ verdict: 'pass' });
  });

  it('is inconclusive about a wide arrival near a boundary, and passes one far from it', () => {
    const near = arrival(AT.stop + 400, { t1Ms: AT.stop + 750 });
    expect(check(PROPERTY, plus(clean, ...near))).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('350 ms'),
    });
    const far = arrival(AT.stop - 2_500, { t1Ms: AT.stop - 2_200 });
    expect(check(PROPERTY, plus(clean, ...far))).toMatchObject({ verdict: 'pass' });
  });

  it('allows what the scenario allows', () => {
    const lenient = withScenario(clean, (scenario) => ({
      ...scenario,
      expect: { ...scenario.expect, effectsAfterBudget: 1 },
    }));
    expect(check(PROPERTY, plus(lenient, ...arrival(5_000))).verdict).toBe('pass');
    expect(check(PROPERTY, plus(lenient, ...arrival(5_000), ...arrival(5_001))).verdict).toBe('fail');
  });

  it('gives a worker that was cut off the longer budget, and only that worker', () => {
    const cut = fault({ fault: 1, kind: 'cut', target: 'worker-1', plane: 'registry' }, AT.stop - 500, AT.stop + 5_000);
    const draft = plus(clean, ...cut);
    expect(check(PROPERTY, plus(draft, ...arrival(AT.stop + 1_500))).verdict).toBe('pass');
    expect(check(PROPERTY, plus(draft, ...arrival(AT.stop + 2_100))).verdict).toBe('fail');
    expect(check(PROPERTY, plus(draft, ...arrival(AT.stop + 1_500, { worker: 2 }))).verdict).toBe('fail');
  });

  it.each(['reset', 'half-open', 'latency', 'jitter', 'bandwidth'] as const)(
    'gives the longer budget under a %s on the registry plane, and not on the work plane',
    (kind) => {
      const on = (plane: 'registry' | 'work') =>
        fault({ fault: 1, kind, target: 'worker-1', plane }, AT.stop - 500, AT.stop + 5_000);
      const late = arrival(AT.stop + 1_500);
      expect(check(PROPERTY, plus(clean, ...on('registry'), ...late)).verdict).toBe('pass');
      expect(check(PROPERTY, plus(clean, ...on('work'), ...late)).verdict).toBe('fail');
    },
  );

  it('gives no longer budget for a fault that came when the worker should have stopped already', () => {
    const kill = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, AT.stop + 1_000, AT.stop + 3_000);
    expect(check(PROPERTY, plus(clean, ...kill, ...arrival(AT.stop + 900))).verdict).toBe('fail');
  });

  it.each([
    [
      'traffic in scope before the stop',
      (timed: Timed) => timed.body.type === 'effect.arrived' && timed.atMs < AT.stop,
    ],
    ['work in scope due after the stop', (timed: Timed) => timed.body.type === 'run.due' && timed.atMs > AT.stop],
  ])('is inconclusive without %s', (obligation, unwanted) => {
    expect(check(PROPERTY, without(clean, unwanted))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation },
    });
  });

  it('is inconclusive when no call was open at the stop, or the stop was never acknowledged', () => {
    const idle = without(clean, ({ body }) => body.type === 'effect.arrived' && /^(primed|parent)/.test(body.run));
    expect(check(PROPERTY, idle)).toMatchObject({ evidence: { obligation: 'a call in scope open at the stop' } });
    const unanswered = without(clean, ({ body }) => body.type === 'flip.answered');
    expect(check(PROPERTY, unanswered)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a stop on record' },
    });
  });

  it('does not apply to a drill without a stop', () => {
    expect(check(PROPERTY, withoutStops(clean)).verdict).toBe('not_applicable');
  });
});
