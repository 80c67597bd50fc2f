import { describe, expect, it } from 'vitest';
import { readPlan } from '../../fleet-sim/plan.ts';
import { step } from './fleet-rig.ts';

describe('a stored plan', () => {
  it('is read with its defaults, and what it does not know is left out', () => {
    const plan = [{ capability: 'model/chat', access: 'read', deadlineMs: 5, serviceMs: 3 }];
    expect(readPlan('r', plan)).toEqual([
      {
        kind: 'call',
        capability: 'model/chat',
        access: 'read',
        journal: true,
        deadlineMs: 5,
        delayMs: 500,
        idempotent: false,
      },
    ]);
  });

  it('keeps what its steps say', () => {
    const timer = step('write/mail', { kind: 'timer', delayMs: 7, idempotent: true });
    expect(readPlan('r', [timer])).toEqual([timer]);
    expect(readPlan('r', { version: 1, steps: [timer] })).toEqual([timer]);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'send mail'],
    ['a plan of a later version', { version: 2, steps: [] }],
    ['a kind of step that it does not know', [step('write/mail', { kind: 'teleport' })]],
    ['a step without a deadline', [{ capability: 'write/mail', access: 'write' }]],
    ['a step that is null', [null]],
    ['too many steps', Array.from({ length: 10_001 }, () => step())],
  ])('is refused for %s, by a sentence that names the run', (_what, plan) => {
    expect(() => readPlan('run-7', plan)).toThrow(
      expect.objectContaining({ code: 'PLAN_UNREADABLE', message: expect.stringContaining('run-7') }),
    );
  });
});
