import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stopState } from '../../../src/control/effectiveness.ts';
import { StoppedFleet } from './effectiveness.model.ts';
import type { Rules, Step } from './effectiveness.model.ts';

const life = fc.nat({ max: 3 });
const name = fc.constantFrom('a' as const, 'b' as const);
const OF_A_LIFE = ['admit', 'dispatch', 'end', 'give-up', 'outcome', 'apply', 'look', 'report', 'die'] as const;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom(...OF_A_LIFE), life }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('read' as const), life, ms: fc.integer({ min: 1, max: 2_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start' as const), name, registers: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'stop' }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 1_500, 4_000) }),
  },
);
const SOUND: Rules = { judge: stopState, report: 'one tick' };

/** The first wrong word in so many fleets, if there is one. */
function lie(rules: Rules, numRuns: number): { readonly failed: boolean; readonly effective: number } {
  let effective = 0;
  const property = fc.property(fc.boolean(), fc.array(step, { maxLength: 40, size: 'max' }), (isClosed, steps) => {
    const fleet = new StoppedFleet(rules, isClosed);
    fleet.take({ kind: 'start', name: 'a', registers: true });
    for (const one of steps) {
      const wrong = fleet.take(one);
      if (wrong !== null) throw new Error(wrong);
    }
    if (fleet.saidEffective) effective += 1;
  });
  const { failed } = fc.check(property, { numRuns, seed: 20_261_122, endOnFailure: true });
  return { failed, effective };
}

describe('a stop that is called effective', () => {
  test('has nothing open in scope, and nothing opens later', () => {
    const { failed, effective } = lie(SOUND, 20_000);
    expect(failed).toBe(false);
    expect(effective).toBeGreaterThan(500);
  });

  const PLANTED: Readonly<Record<string, Rules>> = {
    'counting what is fenced as stopped with a call open': {
      ...SOUND,
      judge: (facts, observed) => stopState({ ...facts, openIntents: [] }, observed),
    },
    'letting a new life confirm for the old one': {
      ...SOUND,
      judge: (facts, observed) => {
        const newest = new Map(facts.workers.map((worker) => [worker.worker, worker]));
        const lives = new Set([...newest.values()].map(({ incarnation }) => incarnation));
        const openIntents = facts.openIntents.filter(({ incarnation }) => lives.has(incarnation));
        return stopState({ ...facts, workers: [...newest.values()], openIntents }, observed);
      },
    },
    'a report that is made of two ticks': { ...SOUND, report: 'two ticks' },
    'accepting an inventory of nobody': {
      ...SOUND,
      judge: (facts, observed) => {
        const state = stopState({ ...facts, openIntents: [] }, observed);
        return { state: state.workers.every((worker) => worker.state === 'confirmed') ? 'effective' : state.state };
      },
    },
    'a fence that is over when the lease is half over': {
      ...SOUND,
      judge: (facts, { durableSeenMs, askedMs }) => stopState(facts, { durableSeenMs: durableSeenMs - 4_000, askedMs }),
    },
  };
  test.each(Object.entries(PLANTED))('would be a lie by %s', (_, rules) => {
    expect(lie(rules, 60_000).failed).toBe(true);
  });
});
