import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../src/store/memory.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { ManualClock } from '../manual-clock.ts';
import { counterexampleOf } from '../planted-bug.ts';
import { actions } from './lifecycle.actions.ts';
import { LifecycleWorld } from './lifecycle.model.ts';
import { WEAKER } from './weaker-queue.ts';

function model(make: (state: MemoryState) => MemoryStore, numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(actions, async (steps) => {
      const clock = new ManualClock();
      let ids = 0;
      const state = new MemoryState({ namespace: 'ns', clock, newId: () => `id-${(ids += 1)}` });
      const world = new LifecycleWorld(clock, make(state));
      for (const step of steps) {
        await world.act(step);
        await world.check();
      }
      await world.everybodyDies();
      await world.ends();
    }),
    { numRuns },
  );
}

describe('tasks, through stops, releases, sweeps, retries, resumes and deaths', () => {
  it('are never lost, end once, never run while doomed or halted, and come back exactly once', async () => {
    await model((state) => new MemoryStore(state), 1_500);
  }, 60_000);

  it.for(WEAKER)('would not if %s', async ([, make, said], { annotate }) => {
    const found = await counterexampleOf(() => model(make, 5_000));
    await annotate(found); // with the seed that finds it again
    expect(found).toMatch(said);
  });
});
