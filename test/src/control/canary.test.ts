import { afterEach, describe, expect, test } from 'vitest';
import { flyCanary, lastProvenMs } from '../../../src/control/canary.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Decider } from '../../../src/decider.ts';
import { Runtime } from '../../../src/runtime.ts';
import { memoryEffectiveness, memoryReports } from '../../../src/store/memory-effectiveness.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';

const NAMESPACE = 'ns';
const open: Runtime[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((runtime) => runtime.close()));
});

async function worker(state: MemoryState, name: string, decider?: (genuine: Decider) => Decider): Promise<Runtime> {
  const store = new MemoryStore(state);
  const ports = { source: store, fence: store, outcomes: store, tasks: store, reports: memoryReports(state) };
  const runtime = new Runtime(
    { ...ports, close: () => Promise.resolve() },
    { namespace: NAMESPACE, incarnation: `${name}-1`, worker: name, ...(decider === undefined ? {} : { decider }) },
  );
  open.push(runtime);
  await runtime.ready(5_000);
  return runtime;
}

function fly(state: MemoryState, withinMs: number): ReturnType<typeof flyCanary> {
  const parts = { namespace: NAMESPACE, flips: new MemoryStore(state), clock: systemClock, newId: state.newId };
  return flyCanary({ ...parts, fleet: memoryEffectiveness(state), by: 'drill', sign: null, withinMs });
}

/** Decides like a gate that stops nobody. */
function deaf(genuine: Decider): Decider {
  return { version: 1, stopFor: () => null, verified: () => genuine.verified() };
}

describe('a canary', () => {
  test('is refused by every worker’s own gate, and released', async () => {
    const state = new MemoryState({ namespace: NAMESPACE });
    const first = await worker(state, 'a');
    await worker(state, 'b');
    expect(lastProvenMs(await memoryEffectiveness(state).fleet())).toBeNull();
    const flown = await fly(state, 10_000);
    expect(flown).toEqual({
      revision: 1,
      refused: ['a', 'b'],
      silent: [],
      gone: [],
      short: [],
      releasedAt: 2,
      releaseError: null,
    });
    expect(lastProvenMs(await memoryEffectiveness(state).fleet())).toEqual(expect.any(Number));
    expect([first.gate.dispatchedCount, first.decider.verified()]).toEqual([0, true]);
    expect((await fly(state, 10_000)).refused).toEqual(['a', 'b']);
  });

  test('names the worker whose gate lets it pass', async () => {
    const state = new MemoryState({ namespace: NAMESPACE });
    await worker(state, 'a');
    await worker(state, 'b', deaf);
    expect(await fly(state, 400)).toMatchObject({ refused: ['a'], silent: ['b'], releasedAt: 2 });
    expect(lastProvenMs(await memoryEffectiveness(state).fleet())).toBeNull();
  });

  test('stays stopped, and says so, when its release is not taken', async () => {
    const state = new MemoryState({ namespace: NAMESPACE });
    const flips = new MemoryStore(state);
    let taken = 0;
    const failing = {
      openEngagements: () => flips.openEngagements(),
      flip: async (text: string, signature: string | null) => {
        taken += 1;
        if (taken === 2) throw new Error('away');
        return flips.flip(text, signature);
      },
    };
    const fleet = memoryEffectiveness(state);
    const parts = { namespace: NAMESPACE, clock: systemClock, newId: state.newId, by: 'drill', sign: null };
    expect(await flyCanary({ ...parts, flips: failing, fleet, withinMs: 0 })).toEqual({
      ...{ revision: 1, refused: [], silent: [], gone: [], short: [], releasedAt: null, releaseError: 'away' },
    });
  });
});
