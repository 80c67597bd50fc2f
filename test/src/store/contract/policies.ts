import { describe, expect, test } from 'vitest';
import type { World } from './world.ts';

const DRAIN = { queue: 'drain', drainMs: 60_000 } as const;

/** Several engagements over one task, and drains. */
export function describePolicies(w: World): void {
  describe('several stops over one task', () => {
    test('discard it if one of them discards, in whatever order they come and go', async () => {
      await w.enqueue(['t1']);
      await w.stop({ id: 'park', queue: 'park', scope: 'tenant', target: 'acme' });
      await w.sweepAll();
      expect(await w.states()).toEqual({ parked: 1 });
      await w.stop({ id: 'discard', queue: 'discard', scope: 'agent', target: 'agent-1' });
      await w.sweepAll();
      expect(await w.states()).toEqual({ discarded: 1 });
      await w.release('discard');
      await w.release('park');
      await w.sweepAll();
      expect(await w.claimIds()).toEqual([]);
      expect(await w.states()).toEqual({ discarded: 1 });
    });

    test('keep it parked until the last of them is released, and then it comes back once', async () => {
      await w.enqueue(['t1']);
      await w.stop({ id: 'a', queue: 'park', scope: 'tenant', target: 'acme' });
      await w.stop({ id: 'b', queue: 'park', scope: 'run', target: 't1' });
      await w.stop({ id: 'c', queue: 'park', scope: 'tenant', target: 'acme' });
      expect(await w.sweepAll()).toBe(1);
      await w.release('a', 'b');
      expect(await w.sweepAll()).toBe(0);
      expect(await w.claimIds()).toEqual([]);
      await w.release('c');
      expect(await w.sweepAll()).toBe(1);
      const [mine, theirs] = await Promise.all([
        w.one.tasks.claim('me', 10, 60_000),
        w.other.tasks.claim('they', 10, 60_000),
      ]);
      expect([...mine, ...theirs].map(({ id }) => id)).toEqual(['t1']);
    });

    test('discard what one of them discarded and released before any sweep', async () => {
      await w.enqueue(['t1'], ['t2', { due: { kind: 'in', ms: 60_000 } }]);
      await w.stop({ id: 'a', queue: 'discard' });
      await w.release('a');
      expect(await w.sweepAll()).toBe(2);
      expect(await w.states()).toEqual({ discarded: 2 });
      await w.enqueue(['t3']);
      expect(await w.claimIds()).toEqual(['t3']);
    });

    test('say nothing about work outside their scopes', async () => {
      await w.enqueue(['mine'], ['theirs', { tenant: 'b', feature: 'billing' }]);
      await w.stop({ queue: 'park', scope: 'tenant', target: 'acme' });
      await w.stop({ queue: 'discard', scope: 'feature', target: 'support' });
      expect(await w.sweepAll()).toBe(1);
      expect(await w.claimIds()).toEqual(['theirs']);
    });
  });

  describe('a drain', () => {
    test('passes what was let in before it, retries too, and nothing new', async () => {
      await w.enqueue(['old']);
      await w.stop({ id: 'drain', ...DRAIN });
      await w.enqueue(['new']);
      await w.sweepAll();
      const first = await w.claimOne('old');
      expect(await w.one.tasks.retry(first.claim, 0)).toBe('queued');
      const second = await w.claimOne('old');
      expect(second.task).toMatchObject({ attempts: 1, admittedRevision: 0 });
      expect(await w.one.tasks.finish(second.claim, 'done')).toBe(true);
      expect(await w.claimIds()).toEqual([]);
      await w.release('drain');
      await w.sweepAll();
      expect(await w.claimIds()).toEqual(['new']);
    });

    test('parks what is left when it is over', async () => {
      await w.enqueue(['t1', { due: { kind: 'in', ms: 60_000 } }], ['t2']);
      const { claim } = await w.claimOne('t2');
      await w.stop({ id: 'drain', queue: 'drain', drainMs: 30 });
      await w.expire(async () => {
        await w.sweepAll();
        return (await w.states()).parked === 1 ? true : undefined;
      });
      expect(await w.one.tasks.halted(claim, 'drain')).toBe('parked');
      await w.release('drain');
      expect(await w.sweepAll()).toBe(2);
      expect((await w.claimOne('t2')).task.attempts).toBe(0);
    });

    test('that is over holds its tasks at the claim as well', async () => {
      await w.stop({ queue: 'park', scope: 'tenant', target: 'nobody' });
      await w.enqueue(['t1', { due: { kind: 'in', ms: 100 } }]);
      await w.stop({ queue: 'drain', drainMs: 1 });
      await w.expire(async () => {
        expect(await w.claimIds()).toEqual([]);
        return (await w.states()).parked === 1 ? true : undefined;
      });
    });

    test('lets pass nothing that another stop holds', async () => {
      await w.enqueue(['parked'], ['discarded', { tenant: 'b' }], ['drained', { tenant: 'c' }]);
      await w.stop(DRAIN);
      await w.stop({ queue: 'park', scope: 'tenant', target: 'acme' });
      await w.stop({ queue: 'discard', scope: 'tenant', target: 'b' });
      expect(await w.claimIds()).toEqual(['drained']);
      await w.sweepAll();
      expect(await w.states()).toEqual({ parked: 1, discarded: 1, running: 1 });
    });

    const stop = { kind: 'stop', id: 'x', scope: 'global', target: '*', reason: '', triggeredBy: 'me', source: 'test' };
    const refused = [
      ['in an emergency', { mode: 'emergency', queue: 'drain', drainMs: 1_000 }],
      ['without an end', { mode: 'halt_all', queue: 'drain' }],
      ['of no time', { mode: 'halt_all', queue: 'drain', drainMs: 0 }],
      ['of more than a day', { mode: 'halt_all', queue: 'drain', drainMs: 86_400_001 }],
      ['of half a millisecond', { mode: 'halt_all', queue: 'drain', drainMs: 0.5 }],
      ['of words', { mode: 'halt_all', queue: 'drain', drainMs: '1000' }],
      ['on top of another policy', { mode: 'halt_all', queue: 'park', drainMs: 1_000 }],
    ] as const;

    test.each(refused)('%s is refused, by whatever path it comes', async (_, parts) => {
      const text = JSON.stringify({ ...stop, namespace: w.namespace, at: '2026-01-01T00:00:00Z', ...parts });
      await expect(w.one.control.flip(text, null)).rejects.toMatchObject({ code: 'FLIP_UNREADABLE' });
      await expect(w.one.flips.relay(text, null)).rejects.toMatchObject({ code: 'FLIP_UNREADABLE' });
      expect((await w.head()).revision).toBe(0);
    });
  });
}
