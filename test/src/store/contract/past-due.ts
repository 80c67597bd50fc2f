import { describe, expect, test } from 'vitest';
import type { NewTask } from '../../../../src/store/store.ts';
import type { World } from './world.ts';

const MILD = { scope: 'tenant', target: 'acme', mode: 'halt_noncritical', queue: 'park' } as const;

/** Tasks whose time comes while they are parked. */
export function describePastDue(w: World): void {
  /** Parked from their first moment, and due while they are; a task of another tenant tells when that time has come. */
  const passParked = async (...tasks: readonly [id: string, task: Partial<NewTask>][]): Promise<void> => {
    await w.stop({ id: 'a', ...MILD });
    const soon = { kind: 'in', ms: 20 } as const;
    await w.enqueue(
      ...tasks.map(([id, task]) => [id, { kind: 'timer', due: soon, ...task }] as [string, Partial<NewTask>]),
    );
    await w.enqueue(['time has come', { tenant: 'b', due: soon }]);
    expect((await w.states()).parked).toBe(tasks.length);
    const { id, token } = await w.expire(async () => (await w.other.tasks.claim('they', 1, 60_000))[0]);
    expect(await w.other.tasks.finish({ task: id, token }, 'done')).toBe(true);
    await w.release('a');
    await w.sweepAll();
  };

  describe('a task whose time passed while it was parked', () => {
    test('fires when it comes back', async () => {
      await passParked(['t1', { pastDue: 'fire' }]);
      expect((await w.claimOne('t1')).task).toMatchObject({ skipped: false, attempts: 0 });
    });

    test('is over if it is to be skipped and comes once', async () => {
      await passParked(['t1', { pastDue: 'skip' }]);
      expect(await w.claimIds()).toEqual([]);
      expect(await w.states()).toEqual({ done: 2 });
    });

    test('only arranges its next occurrence if it is to be skipped and repeats', async () => {
      await passParked(['t1', { pastDue: 'skip', repeat: '*/5 * * * *' }]);
      const skipped = await w.claimOne('t1');
      expect(skipped.task).toMatchObject({ skipped: true, repeat: '*/5 * * * *' });
      expect(await w.one.tasks.finish(skipped.claim, 'done', '2020-01-01T00:00:00Z')).toBe(true);
      expect((await w.claimOne('t1')).task).toMatchObject({ skipped: false, attempts: 0 });
    });

    test('moves by as long as it was parked', async () => {
      const at = '2020-01-01T00:00:00.000Z';
      await passParked(
        ['shifted', { pastDue: 'shift', due: { kind: 'at', at } }],
        ['fired', { pastDue: 'fire', due: { kind: 'at', at } }],
      );
      const claimed = await w.one.tasks.claim('me', 10, 60_000);
      const dueMs = new Map(claimed.map(({ id, dueAt }) => [id, Date.parse(dueAt) - Date.parse(at)]));
      expect(dueMs.get('fired')).toBe(0);
      expect(dueMs.get('shifted')).toBeGreaterThanOrEqual(15);
      expect(dueMs.get('shifted')).toBeLessThan(60_000);
    });
  });

  test('a parked task whose time has not passed keeps it, whatever its declaration', async () => {
    await w.stop({ id: 'a', ...MILD });
    for (const pastDue of ['fire', 'skip', 'shift'] as const) {
      await w.enqueue([pastDue, { kind: 'timer', due: { kind: 'in', ms: 60_000 }, pastDue }]);
    }
    await w.release('a');
    expect(await w.sweepAll()).toBe(3);
    expect(await w.states()).toEqual({ queued: 3 });
    expect(await w.claimIds()).toEqual([]);
  });

  test('a run that was stopped in the midst is not skipped: its time had come before', async () => {
    await w.enqueue(['t1', { pastDue: 'skip' }]);
    const { claim } = await w.claimOne('t1');
    await w.stop({ id: 'a', queue: 'park' });
    expect(await w.one.tasks.halted(claim, 'a')).toBe('parked');
    await w.release('a');
    await w.sweepAll();
    expect((await w.claimOne('t1')).task).toMatchObject({ skipped: false, attempts: 0 });
  });
}
