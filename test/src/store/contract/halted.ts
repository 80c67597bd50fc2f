import { describe, expect, test } from 'vitest';
import type { World } from './world.ts';

/** What becomes of a run that a stop met in the midst. */
export function describeHalted(w: World): void {
  describe('a task whose run was stopped', () => {
    test('is parked by a stop that parks, and comes back once, with no attempt spent', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.stop({ id: 'a', queue: 'park' });
      expect(await w.one.tasks.halted(claim, 'a')).toBe('parked');
      expect(await w.one.tasks.halted(claim, 'a')).toBeNull();
      expect(await w.sweepAll()).toBe(0);
      await w.release('a');
      expect(await w.sweepAll()).toBe(1);
      expect((await w.claimOne('t1')).task.attempts).toBe(0);
      expect(await w.sweepAll()).toBe(0);
      expect(await w.states()).toEqual({ running: 1 });
    });

    test('is discarded by a stop that discards, also when that was released meanwhile', async () => {
      await w.enqueue(['t1'], ['t2']);
      const claimed = await w.one.tasks.claim('me', 2, 60_000);
      const [one, two] = claimed.map(({ id, token }) => ({ task: id, token }));
      if (one === undefined || two === undefined) throw new Error('two tasks were to be claimed');
      await w.stop({ id: 'a', queue: 'discard' });
      expect(await w.one.tasks.halted(one, 'a')).toBe('discarded');
      await w.release('a');
      expect(await w.one.tasks.halted(two, null)).toBe('discarded');
      await w.sweepAll();
      expect(await w.states()).toEqual({ discarded: 2 });
    });

    test('is queued again when nothing holds it any more, with no attempt spent', async () => {
      await w.enqueue(['t1']);
      const first = await w.claimOne('t1');
      await w.stop({ id: 'a', queue: 'park' });
      await w.release('a');
      expect(await w.one.tasks.halted(first.claim, 'a')).toBe('queued');
      const second = await w.claimOne('t1');
      expect(second.task.attempts).toBe(0);
      expect(await w.one.tasks.halted(second.claim, 'never heard of')).toBe('queued');
      expect((await w.claimOne('t1')).task.attempts).toBe(0);
    });

    test('is unknown while an effect of its claim is open', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.effect(claim, 'open');
      await w.stop({ id: 'a', queue: 'discard' });
      expect(await w.one.tasks.halted(claim, 'a')).toBe('unknown');
      await w.release('a');
      await w.sweepAll();
      expect(await w.states()).toEqual({ unknown: 1 });
    });

    test('is settled for its claimant only', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      expect(await w.other.tasks.halted({ ...claim, token: 'junk' }, null)).toBeNull();
      expect(await w.other.tasks.halted({ task: 'none', token: claim.token }, null)).toBeNull();
      expect(await w.one.tasks.finish(claim, 'done')).toBe(true);
      expect(await w.one.tasks.halted(claim, null)).toBeNull();
    });

    test('given back under a stop is settled by that stop', async () => {
      await w.enqueue(['t1'], ['t2', { tenant: 'b' }], ['t3', { tenant: 'c' }]);
      const claimed = await w.one.tasks.claim('me', 3, 60_000);
      await w.stop({ scope: 'tenant', target: 'acme', queue: 'discard' });
      await w.stop({ scope: 'tenant', target: 'b', queue: 'park' });
      for (const { id, token } of claimed) expect(await w.one.tasks.giveBack({ task: id, token })).toBe(true);
      expect(await w.states()).toEqual({ discarded: 1, parked: 1, queued: 1 });
    });
  });

  describe("a capability's stop", () => {
    const onMail = { scope: 'capability', target: 'write/*' } as const;

    test('gets hold of the run that it met, until that very stop is released', async () => {
      await w.enqueue(['t1']);
      await w.stop({ id: 'mail', queue: 'park', ...onMail });
      const { claim } = await w.claimOne('t1');
      expect(await w.one.tasks.halted(claim, 'mail')).toBe('parked');
      await w.stop({ id: 'other', queue: 'park', scope: 'tenant', target: 'acme' });
      await w.release('other');
      await w.sweepAll();
      expect(await w.claimIds()).toEqual([]);
      expect(await w.states()).toEqual({ parked: 1 });
      await w.release('mail');
      expect(await w.sweepAll()).toBe(1);
      expect((await w.claimOne('t1')).task.attempts).toBe(0);
    });

    test('discards the run that it met, also one that was let in after it', async () => {
      await w.stop({ id: 'mail', queue: 'discard', ...onMail });
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      expect(await w.one.tasks.halted(claim, 'mail')).toBe('discarded');
      await w.release('mail');
      await w.sweepAll();
      expect(await w.claimIds()).toEqual([]);
    });

    test('lets go of a run that was claimed after its release and refused by a worker that had not heard of it', async () => {
      await w.enqueue(['before']);
      await w.stop({ id: 'mail', queue: 'discard', ...onMail });
      const under = await w.claimOne('before');
      await w.enqueue(['under']);
      await w.release('mail');
      const after = await w.claimOne('under');
      expect(await w.one.tasks.halted(after.claim, 'mail')).toBe('queued');
      expect(await w.one.tasks.halted(under.claim, 'mail')).toBe('discarded');
      const again = await w.claimOne('under');
      expect(again.task.attempts).toBe(0);
      expect(await w.one.tasks.extend([again.claim], 60_000)).toEqual(['under']);
      expect(await w.one.tasks.halted(again.claim, 'mail')).toBe('queued');
      await w.stop({ id: 'mail again', queue: 'discard', ...onMail });
      const third = await w.claimOne('under');
      expect(await w.one.tasks.halted(third.claim, 'mail again')).toBe('discarded');
    });

    test('covers a task that does this one thing, and no run as a whole', async () => {
      await w.enqueue(
        ['run'],
        ['mail', { kind: 'webhook', capability: 'write/mail' }],
        ['chat', { kind: 'webhook', capability: 'model/chat' }],
        ['write', { kind: 'webhook', capability: 'write' }],
      );
      await w.stop({ id: 'a', queue: 'park', ...onMail });
      expect((await w.claimIds()).toSorted()).toEqual(['chat', 'run', 'write']);
      await w.release('a');
      await w.sweepAll();
      expect(await w.claimIds()).toEqual(['mail']);
    });

    test('holds nothing for whoever only says that something stopped it', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.stop({ id: 'mail', queue: 'discard', ...onMail });
      expect(await w.one.tasks.halted(claim, null)).toBe('queued');
    });
  });
}
