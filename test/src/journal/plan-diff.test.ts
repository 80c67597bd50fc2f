import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planDiff, readPlan, standingOf } from '../../../src/journal/plan-diff.ts';
import type { OutcomeKind, TaskEffect } from '../../../src/store/store.ts';

const keyOf = (index: number): string => `r1/${index}`;

function effect(key: string, outcome: OutcomeKind | null): TaskEffect {
  return { key, capability: 'write/mail', outcome };
}

describe('what may be sent', () => {
  it.each<[TaskEffect | undefined, boolean, string]>([
    [undefined, false, 'send'],
    [effect('k', 'landed'), false, 'landed'],
    [effect('k', 'landed'), true, 'landed'],
    [effect('k', 'failed'), false, 'send'],
    [effect('k', 'blocked'), false, 'send'],
    [effect('k', 'unknown'), false, 'unknown'],
    [effect('k', 'unknown'), true, 'send'],
    [effect('k', null), false, 'unknown'],
    [effect('k', null), true, 'send'],
  ])('%j, idempotent %s: %s', (found, idempotent, standing) => {
    expect(standingOf(found, idempotent)).toBe(standing);
  });

  it('is not decided for an outcome that nobody knows', () => {
    expect(() => standingOf(effect('k', 'perhaps' as 'landed'), false)).toThrow(/'perhaps'/);
  });
});

describe('a stored plan', () => {
  const STEPS = [
    { capability: 'model/chat', access: 'read', deadlineMs: 5 },
    { capability: 'write/mail', idempotent: true },
  ];

  it('is a list of steps, or one with its version; a step may name its own key', () => {
    const intended = [
      { key: 'r1/0', capability: 'model/chat', idempotent: false },
      { key: 'r1/1', capability: 'write/mail', idempotent: true },
    ];
    expect(readPlan(STEPS, keyOf)).toEqual(intended);
    expect(readPlan({ version: 1, steps: STEPS }, keyOf)).toEqual(intended);
    expect(readPlan([{ capability: 'a/b', key: 'mine' }], keyOf)[0]?.key).toBe('mine');
    expect(readPlan([], keyOf)).toEqual([]);
  });

  it.each([
    [{ version: 2, steps: [] }, /version 2, which this killdrill does not know/],
    [{ version: '1', steps: [] }, /version "1"/],
    [{ steps: [] }, /at version/],
    [{ version: 1 }, /at steps/],
    [[{ capability: 7 }], /at 0\.capability/],
    [[null], /at 0/],
    [null, /expected a list of steps/],
    ['[]', /expected a list of steps/],
    [undefined, /expected a list of steps/],
    [
      [
        { capability: 'a', key: 'k' },
        { capability: 'b', key: 'k' },
      ],
      /the key 'k' twice/,
    ],
  ])('is refused whole when it is %j', (plan, why) => {
    expect(() => readPlan(plan, keyOf)).toThrow(why);
    expect(() => readPlan(plan, keyOf)).toThrow(expect.objectContaining({ code: 'PLAN_UNREADABLE' }));
  });

  it('is refused by the same error, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (plan) => {
        try {
          readPlan(plan, keyOf);
        } catch (error) {
          expect(error).toMatchObject({ code: 'PLAN_UNREADABLE' });
        }
      }),
    );
  });
});

describe('intended beside done', () => {
  it('is an exact list, with what nobody intended apart', () => {
    const intended = readPlan(
      Array.from({ length: 6 }, () => ({ capability: 'write/mail' })),
      keyOf,
    );
    const outcomes = ['landed', 'failed', 'unknown', 'blocked', null] as const;
    const effects = [...outcomes.map((outcome, at) => effect(keyOf(at), outcome)), effect('stray', 'landed')];
    const { lines, unplanned } = planDiff(intended, effects);
    const expected = ['landed', 'failed', 'unknown', 'blocked', 'unknown', 'not reached'];
    expect(lines.map(({ standing }) => standing)).toEqual(expected);
    expect(lines.map(({ key }) => key)).toEqual(intended.map(({ key }) => key));
    expect(unplanned).toEqual([effect('stray', 'landed')]);
  });
});
