import { describe, expect, test } from 'vitest';
import type { World } from './world.ts';

const LONG_AGO = '2020-01-01T00:00:00.000Z';

/** Work that comes again: retries, and tasks that repeat. */
export function describeRepeats(w: World): void {
  describe('a retry', () => {
    test('is the same row, later, and spends the attempt', async () => {
      await w.enqueue(['t1']);
      const first = await w.claimOne('t1');
      expect(await w.one.tasks.retry(first.claim, 30)).toBe('queued');
      expect(await w.one.tasks.counts()).toEqual([{ kind: 'run', state: 'queued', retries: 1, count: 1 }]);
      const again = await w.expire(async () => (await w.other.tasks.claim('they', 1, 60_000))[0]);
      expect(again).toMatchObject({ id: 't1', attempts: 1, admittedRevision: 0 });
      expect(again.token).not.toBe(first.claim.token);
      expect(await w.one.tasks.counts()).toEqual([{ kind: 'run', state: 'running', retries: 0, count: 1 }]);
    });

    test('is not claimed before its time', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      expect(await w.one.tasks.retry(claim, 60_000)).toBe('queued');
      expect(await w.claimIds()).toEqual([]);
    });

    test('keeps its stamp, so that a discard in between ends it for good', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.stop({ id: 'a', queue: 'discard' });
      await w.release('a');
      expect(await w.one.tasks.retry(claim, 0)).toBe('discarded');
      expect(await w.claimIds()).toEqual([]);
    });

    test('is parked by a stop that parks, and comes back as a retry', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.stop({ id: 'a', queue: 'park' });
      expect(await w.one.tasks.retry(claim, 0)).toBe('parked');
      expect(await w.one.tasks.counts()).toEqual([{ kind: 'run', state: 'parked', retries: 1, count: 1 }]);
      await w.release('a');
      await w.sweepAll();
      expect((await w.claimOne('t1')).task.attempts).toBe(1);
    });

    test('that waits is halted where it waits, not when it is due', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.one.tasks.retry(claim, 60_000);
      await w.stop({ queue: 'discard' });
      expect(await w.sweepAll()).toBe(1);
      expect(await w.states()).toEqual({ discarded: 1 });
    });

    test('is refused to whoever does not hold the task, and to one with an effect open', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      expect(await w.other.tasks.retry({ ...claim, token: 'junk' }, 0)).toBeNull();
      expect(await w.other.tasks.retry({ task: 'none', token: claim.token }, 0)).toBeNull();
      await w.effect(claim, 'open');
      expect(await w.one.tasks.retry(claim, 0)).toBe('unknown');
      expect(await w.one.tasks.retry(claim, 0)).toBeNull();
      expect(await w.claimIds()).toEqual([]);
    });
  });

  describe('a task that repeats', () => {
    const repeating = { kind: 'timer', repeat: 'every 60000' } as const;

    test('is queued for its next occurrence, with fresh attempts and nothing done', async () => {
      await w.enqueue(['t1', repeating]);
      const first = await w.claimOne('t1');
      expect(first.task).toMatchObject({ repeat: 'every 60000', skipped: false });
      await w.one.tasks.retry(first.claim, 0);
      const second = await w.claimOne('t1');
      await w.effect(second.claim, 't1/0', 'landed');
      await w.stop({ scope: 'tenant', target: 'nobody' });
      expect(await w.one.tasks.finish(second.claim, 'done', LONG_AGO)).toBe(true);
      expect(await w.one.tasks.finish(second.claim, 'done', LONG_AGO)).toBe(false);
      const third = await w.claimOne('t1');
      expect(third.task).toMatchObject({ attempts: 0, admittedRevision: 0, effects: [], skipped: false });
      expect(Date.parse(third.task.dueAt)).toBe(Date.parse(LONG_AGO));
      expect(await w.one.tasks.finish(third.claim, 'done')).toBe(true);
      expect(await w.states()).toEqual({ done: 1 });
    });

    test('goes on after an occurrence that failed', async () => {
      await w.enqueue(['t1', repeating]);
      const { claim } = await w.claimOne('t1');
      expect(await w.one.tasks.finish(claim, 'failed', '2999-01-01T00:00:00Z')).toBe(true);
      expect(await w.states()).toEqual({ queued: 1 });
      expect(await w.claimIds()).toEqual([]);
    });

    test('has no next occurrence once it is discarded, and waits for one while it is parked', async () => {
      await w.enqueue(['t1', repeating], ['t2', { ...repeating, tenant: 'b' }]);
      const claimed = await w.one.tasks.claim('me', 10, 60_000);
      await w.stop({ scope: 'tenant', target: 'acme', queue: 'discard' });
      await w.stop({ scope: 'tenant', target: 'b', queue: 'park' });
      for (const { id, token } of claimed) {
        expect(await w.one.tasks.finish({ task: id, token }, 'done', LONG_AGO)).toBe(true);
      }
      expect(await w.claimIds()).toEqual([]);
      await w.sweepAll();
      expect(await w.states()).toEqual({ discarded: 1, parked: 1 });
    });
  });
}
