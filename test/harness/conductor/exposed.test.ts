import { describe, expect, test } from 'vitest';
import { hasHeldChild, missingExposure } from '../../../harness/conductor/exposed.ts';
import { MAX_SERVICE_MS } from '../../../harness/traffic/mix.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';
import type { Trace, TraceRun } from '../../../harness/traffic/trace.ts';
import type { WorkerExposure } from '../../../harness/world/world.ts';
import { child, run, spawn, step } from '../world/world-client.ts';

const parent = run('run-1', [spawn('run-1.0')]);
const kid: TraceRun = { ...child(parent, 0, [step('model/chat', MAX_SERVICE_MS + 1)]), primed: true };

let effects = 0;
function at(worker: string, ...calls: readonly (readonly [TraceRun, number])[]): WorkerExposure {
  const held = calls.map(([of, remainingMs]) => {
    effects += 1;
    return { effect: effects, worker, run: of, capability: 'model/chat', held: true, remainingMs };
  });
  return { worker, open: held.length, held };
}

describe('what a stop is to meet', () => {
  const wanted = { neededMs: 6_000, atOne: false, child: false };

  test('is a held call at each worker, held for long enough yet', () => {
    expect(missingExposure([at('worker-1', [parent, 6_000]), at('worker-2', [parent, 9_000])], wanted)).toEqual([]);
    const lacking = [at('worker-1', [parent, 5_999]), at('worker-2', [parent, 6_000]), at('worker-3')];
    expect(missingExposure(lacking, wanted)).toEqual(['a held call in scope at worker-1, worker-3']);
  });

  test('is at one worker, whichever, when the stop is of one run or agent', () => {
    const one = { ...wanted, atOne: true };
    expect(missingExposure([at('worker-1'), at('worker-2', [parent, 6_000])], one)).toEqual([]);
    expect(missingExposure([at('worker-1'), at('worker-2')], one)).toEqual([
      'a held call in scope at worker-1, worker-2',
    ]);
  });

  test('is a child too, when there is to be one', () => {
    const withChild = { ...wanted, child: true };
    expect(missingExposure([at('worker-1', [parent, 6_000], [kid, 6_000])], withChild)).toEqual([]);
    expect(missingExposure([at('worker-1', [parent, 6_000], [kid, 5_999])], withChild)).toEqual([
      'a child in scope that holds a call',
    ]);
    expect(missingExposure([at('worker-1')], withChild)).toHaveLength(2);
  });
});

describe('a trace has a child to be caught', () => {
  const trace = (...runs: readonly TraceRun[]): Trace => ({
    header: { version: TRACE_VERSION, seed: 1, generator: {} },
    runs,
  });
  const all = (): boolean => true;

  test('when a primed child in scope holds a call', () => {
    expect(hasHeldChild(trace(parent, kid), all)).toBe(true);
    expect(hasHeldChild(trace(parent, kid), ({ run: id }) => id === 'run-1')).toBe(false);
  });

  test('not when the child is an ordinary one, and not for a parent alone', () => {
    expect(hasHeldChild(trace(parent, child(parent, 0, [step('model/chat', 50)])), all)).toBe(false);
    expect(hasHeldChild(trace({ ...run('run-2', [step('model/chat', MAX_SERVICE_MS + 1)]), primed: true }), all)).toBe(
      false,
    );
  });
});
