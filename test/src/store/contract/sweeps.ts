import { describe, expect, test } from 'vitest';
import type { sampleTask } from '../samples.ts';
import type { World } from './world.ts';

type Task = Parameters<typeof sampleTask>;

/** What a flip leaves to be done, by whoever comes by. */
export function describeSweeps(w: World): void {
  const many = (count: number, task: Task[1] = {}): readonly Task[] =>
    Array.from({ length: count }, (_, index) => [`t${index}`, { due: { kind: 'in', ms: 60_000 }, ...task }]);

  /** Sweeps of so many tasks each, by two processes in turns; answers what each batch did. */
  const batches = async (limit: number): Promise<readonly number[]> => {
    const swept: number[] = [];
    for (let more = true; more && swept.length < 100;) {
      const answer = await (swept.length % 2 === 0 ? w.one : w.other).tasks.sweep(limit);
      swept.push(answer.swept);
      more = answer.more;
    }
    return swept;
  };
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

  describe('sweeps', () => {
    test('have nothing to do without a flip', async () => {
      await w.enqueue(['t1']);
      expect(await w.one.tasks.sweep(100)).toEqual({ swept: 0, more: false });
    });

    test('go by bounded batches until nothing is left, whoever does them', async () => {
      await w.enqueue(...many(25));
      await w.stop({ id: 'a', queue: 'park' });
      const parked = await batches(10);
      expect(Math.max(...parked)).toBeLessThanOrEqual(10);
      expect(sum(parked)).toBe(25);
      expect(await w.states()).toEqual({ parked: 25 });
      await w.release('a');
      const back = await batches(10);
      expect(Math.max(...back)).toBeLessThanOrEqual(10);
      expect(sum(back)).toBe(25);
      expect(await w.states()).toEqual({ queued: 25 });
      expect(await w.one.tasks.sweep(10)).toEqual({ swept: 0, more: false });
    });

    test('by several at once change each task once', async () => {
      await w.enqueue(...many(30));
      await w.stop({ id: 'a', queue: 'park' });
      const finish = async (): Promise<number> => sum(await batches(7));
      expect(sum(await Promise.all([finish(), finish(), finish()]))).toBe(30);
      await w.release('a');
      expect(sum(await Promise.all([finish(), finish(), finish()])) + (await w.sweepAll())).toBe(30);
      expect(await w.states()).toEqual({ queued: 30 });
    });

    test('leave alone what their flip does not touch', async () => {
      await w.enqueue(...many(5), ['other', { tenant: 'b' }], ['done'], ['running']);
      const claimed = await w.one.tasks.claim('me', 3, 60_000);
      const token = (id: string) => ({ task: id, token: claimed.find((one) => one.id === id)?.token ?? '' });
      await w.one.tasks.finish(token('done'), 'done');
      await w.one.tasks.giveBack(token('other'));
      await w.stop({ queue: 'discard', scope: 'tenant', target: 'acme' });
      expect(await w.sweepAll()).toBe(5);
      expect(await w.states()).toEqual({ discarded: 5, queued: 1, done: 1, running: 1 });
    });

    test('of a stop that was released again before they ran park nothing', async () => {
      await w.enqueue(...many(5));
      await w.stop({ id: 'a', queue: 'park' });
      await w.release('a');
      await w.sweepAll();
      expect(await w.states()).toEqual({ queued: 5 });
    });

    test('of a release bring nothing back that was parked by a claim and is stopped anew', async () => {
      await w.enqueue(['t1']);
      await w.stop({ id: 'a', queue: 'park' });
      expect(await w.claimIds()).toEqual([]);
      await w.release('a');
      await w.stop({ id: 'b', queue: 'park', scope: 'agent', target: 'agent-1' });
      await w.sweepAll();
      expect(await w.states()).toEqual({ parked: 1 });
      await w.release('b');
      expect(await w.sweepAll()).toBe(1);
      expect(await w.claimIds()).toEqual(['t1']);
    });

    test('come for a relayed stop too', async () => {
      await w.enqueue(...many(3));
      const { record } = await w.stop({ scope: 'tenant', target: 'nobody', queue: 'park' });
      await w.sweepAll();
      const text = record.text.replace('"nobody"', '"acme"').replace(/"id":"[^"]+"/, '"id":"relayed"');
      await w.one.flips.relay(text, null);
      expect(await w.sweepAll()).toBe(3);
    });
  });
}
