import { describe, expect, test } from 'vitest';
import type { World } from './world.ts';

/** How many tasks there are. */
export function describeCounts(w: World): void {
  describe('counts', () => {
    test('are of no task in an empty queue', async () => {
      expect(await w.one.tasks.counts()).toEqual([]);
    });

    test('tell tasks by kind and state, and which of them wait for another attempt', async () => {
      await w.enqueue(
        ['r1'],
        ['r2', { kind: 'run' }],
        ['r3', { kind: 'run' }],
        ['timer', { kind: 'timer', due: { kind: 'in', ms: 60_000 } }],
        ['hook', { kind: 'webhook', tenant: 'b' }],
        ['child', { kind: 'child', tenant: 'c' }],
      );
      const claimed = await w.one.tasks.claim('me', 10, 60_000);
      const claim = (id: string) => ({ task: id, token: claimed.find((one) => one.id === id)?.token ?? '' });
      await w.one.tasks.retry(claim('r1'), 60_000);
      await w.one.tasks.giveBack(claim('r2'));
      await w.stop({ id: 'b', scope: 'tenant', target: 'b', queue: 'discard' });
      await w.one.tasks.halted(claim('hook'), 'b');
      await w.one.tasks.finish(claim('child'), 'failed');
      const counts = (await w.other.tasks.counts()).map(
        ({ kind, state, retries, count }) => `${kind} ${state} ${count}, ${retries} again`,
      );
      expect(counts.toSorted()).toEqual([
        'child failed 1, 0 again',
        'run queued 2, 1 again',
        'run running 1, 0 again',
        'timer queued 1, 0 again',
        'webhook discarded 1, 0 again',
      ]);
    });
  });
}
