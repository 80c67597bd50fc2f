import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawFamily } from '../../../harness/traffic/draw-plan.ts';
import { cutTo, effectsIn, runsOf } from '../../../harness/traffic/family-plan.ts';
import type { FamilyPlan } from '../../../harness/traffic/family-plan.ts';
import { MIX } from '../../../harness/traffic/mix.ts';
import { makePrng } from '../../../harness/traffic/prng.ts';

const root = { dueMs: 7, run: 'r', tenant: 't', feature: 'f', agent: 'a' };
const families = Array.from({ length: 5_000 }, (_, i) => drawFamily(makePrng(i)));
const depthOf = ({ steps }: FamilyPlan): number => Math.max(0, ...steps.map(({ of }) => (of ? 1 + depthOf(of) : 0)));

test('a family is two generations deep at most, and some are', () => {
  expect(Math.max(...families.map(depthOf))).toBe(2);
});

test('a plan never begins with a child', () => {
  expect(families.every(({ steps }) => steps[0]?.of === undefined)).toBe(true);
});

test('a family cut to any size has exactly that many effects, or all it had', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_999 }), fc.integer({ min: 1, max: 60 }), (which, left) => {
      const family = families[which] ?? { steps: [] };
      const cut = cutTo(left, family);
      expect(effectsIn(cut)).toBe(Math.min(left, effectsIn(family)));
      const everyone = runsOf(cut, { root, nextAgent: () => 'b' });
      expect(everyone.every(({ plan }) => plan.length > 0)).toBe(true);
      expect(everyone.reduce((sum, { plan }) => sum + plan.length, 0)).toBe(effectsIn(cut));
    }),
  );
});

test('a child has an agent of its own, and the tenant, feature and due time of its parent', () => {
  const deep = families.find((family) => depthOf(family) === 2) ?? { steps: [] };
  const [parent, ...children] = runsOf(deep, { root, nextAgent: () => 'b' });
  expect(parent).toMatchObject(root);
  expect(children.some(({ lineage }) => lineage?.length === 2)).toBe(true);
  for (const one of children) {
    expect(one).toMatchObject({ ...root, run: one.run, agent: 'b' });
    expect(one.run).toBe(`${one.parent?.run}.${one.parent?.step}`);
    expect(one.lineage?.at(-1)).toBe(one.parent?.run);
  }
});

test('what is refused in one task is less than its attempts', () => {
  const refusalsInTurn = ({ steps }: FamilyPlan): number =>
    steps.reduce((sum, { kind, refusals = 0, attached, of }) => {
      const own = kind === 'webhook' ? 0 : refusals;
      return sum + own + (of !== undefined && attached === true ? refusalsInTurn(of) : 0);
    }, 0);
  const counts = families.map(refusalsInTurn);
  expect(Math.max(...counts)).toBe(MIX.refusals.atMostInTurn);
});
