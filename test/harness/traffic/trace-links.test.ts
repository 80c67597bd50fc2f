import { describe, expect, test } from 'vitest';
import { linkComplaints } from '../../../harness/traffic/trace-links.ts';
import type { PlanStep, TraceRun } from '../../../harness/traffic/trace.ts';

const call: PlanStep = { capability: 'write/mail', access: 'write', journal: true, serviceMs: 5, deadlineMs: 2_000 };
const spawn: PlanStep = { ...call, kind: 'spawn', capability: 'agent/spawn', child: 'r.0' };
const run = (name: string, plan: readonly PlanStep[], more: Partial<TraceRun> = {}): TraceRun => {
  return { dueMs: 0, run: name, tenant: 't', feature: 'f', agent: 'a', plan, ...more };
};
const child = run('r.0', [call], { parent: { run: 'r', step: 0 }, lineage: ['r'] });

test('a family whose members name each other is as it should be', () => {
  const middle = { ...child, plan: [call, { ...spawn, child: 'r.0.1' }] };
  const last = run('r.0.1', [call], { parent: { run: 'r.0', step: 1 }, lineage: ['r', 'r.0'] });
  const probe = run('p', [call], { probe: true, lineage: ['r'] });
  expect(linkComplaints([probe, run('r', [spawn]), middle, last])).toEqual([]);
});

describe('a complaint names the run and what is wrong:', () => {
  const cases: readonly (readonly [string, readonly TraceRun[], number, RegExp])[] = [
    [
      'a child that nobody starts',
      [run('r', [call]), child],
      1,
      /'r.0' as the child of step 0 of 'r', expected that step/,
    ],
    ['a child before its parent', [child, run('r', [spawn])], 0, /'r.0' as the child of step 0/],
    ['a child of another step', [run('r', [call, spawn]), child], 1, /step 0 of 'r'/],
    ['a spawn of nobody', [run('r', [spawn])], 0, /a spawn of run 'r.0', expected that run on a later line/],
    [
      'a lineage that is another',
      [run('r', [spawn]), { ...child, lineage: ['x'] }],
      1,
      /lineage x of run 'r.0', expected r/,
    ],
    ['a lineage without a parent', [run('r', [call], { lineage: ['x'] })], 0, /a lineage and no parent/],
    [
      'a spawn without a child',
      [run('r', [{ ...call, kind: 'spawn', capability: 'agent/spawn' }])],
      0,
      /step 0 of run 'r': found a spawn without a child/,
    ],
    ['a call with a child', [run('r', [{ ...call, child: 'x' }])], 0, /a child of a call/],
    [
      'a call of the capability of spawns',
      [run('r', [{ ...call, capability: 'agent/spawn' }])],
      0,
      /expected agent\/spawn of spawns/,
    ],
    ['a call that is attached', [run('r', [{ ...call, attached: true }])], 0, /attached of a call/],
    ['a timer without a delay', [run('r', [{ ...call, kind: 'timer' }])], 0, /a timer that waits, and no delayMs/],
    ['a refusal without a delay', [run('r', [{ ...call, refusals: 1 }])], 0, /a call that waits, and no delayMs/],
    ['a delay of nothing', [run('r', [{ ...call, delayMs: 5 }])], 0, /delayMs of a call that waits for nothing/],
  ];
  test.each(cases)('%s', (_, runs, index, sentence) => {
    expect(linkComplaints(runs)[0]).toEqual({ index, sentence: expect.stringMatching(sentence) });
  });
});
