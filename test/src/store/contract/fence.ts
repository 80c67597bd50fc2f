import { describe, expect, test } from 'vitest';
import type { FenceAnswer, Head } from '../../../../src/store/store.ts';
import { sampleIntent, sampleTask, stopText } from '../samples.ts';
import { CLAIM_MS } from './world.ts';
import type { World } from './world.ts';

/** What is let in. */
export function describeFence(w: World): void {
  describe('the fence', () => {
    const admit = (at: Head, ...seqs: readonly number[]): Promise<FenceAnswer> =>
      w.one.fence.admitIntents(
        `me-${w.namespace}`,
        at,
        seqs.map((seq) => sampleIntent(seq, { lineage: ['"parent"', 'a\\b', '{,}', ''] })),
      );

    test('admits intents and tasks at the head', async () => {
      expect(await admit(await w.head(), 1, 2)).toMatchObject({ kind: 'admitted', disowned: [] });
      await w.stop();
      expect(await admit(await w.head(), 3)).toMatchObject({ kind: 'admitted', head: { revision: 1 } });
      expect(await w.one.fence.enqueue(await w.head(), [sampleTask('t')])).toMatchObject({
        kind: 'admitted',
        disowned: [],
      });
    });

    test('answers a registry that is behind with the flips in between, and admits nothing', async () => {
      const start = await w.head();
      const { record } = await w.other.control.flip(stopText(w.namespace), null);
      expect(await admit(start, 1)).toMatchObject({ kind: 'stale', flips: [record], head: { revision: 1 } });
      expect(await w.one.fence.enqueue(start, [sampleTask('t', { tenant: 'spared' })])).toMatchObject({
        kind: 'stale',
        flips: [record],
      });
      expect(await w.claimIds()).toEqual([]);
      expect(await admit(await w.head(), 1)).toMatchObject({ kind: 'admitted' });
    });

    test('turns away a registry of another history', async () => {
      const { head: at } = await w.stop();
      for (const wrong of [
        { ...at, epoch: 'x' },
        { ...at, hash: 'x' },
        { ...at, revision: 2 },
      ]) {
        expect(await admit(wrong, 1)).toMatchObject({ kind: 'diverged', head: at });
        expect(await w.one.fence.enqueue(wrong, [sampleTask('t')])).toMatchObject({ kind: 'diverged' });
      }
      expect(await admit(at, 1)).toMatchObject({ kind: 'admitted' });
    });

    test('admits nothing while the store has not been up for long enough', async () => {
      const cautious = await w.world.open({ minimumAgeMs: 1e12 });
      try {
        const at = await w.head();
        const answer = await cautious.fence.admitIntents('me', at, [sampleIntent(1)]);
        expect(answer).toMatchObject({ kind: 'young', head: at });
        expect(answer.ageMs).toBeGreaterThan(0);
        expect(await cautious.fence.enqueue(at, [sampleTask('t')])).toMatchObject({ kind: 'young' });
        expect(await w.claimIds()).toEqual([]);
      } finally {
        await cautious.close();
      }
    });

    test('refuses a number that was admitted before, with its whole batch', async () => {
      await admit(await w.head(), 1);
      await expect(admit(await w.head(), 2, 1)).rejects.toMatchObject({ code: 'INTENT_REPEATED' });
      expect(await admit(await w.head(), 2)).toMatchObject({ kind: 'admitted' });
    });

    test("disowns the intents whose claim is not the claimant's, and admits the others of the batch", async () => {
      await w.enqueue(['t1'], ['t2']);
      const [first, second] = await w.one.tasks.claim('me', 2, CLAIM_MS);
      const mine = { task: 't1', token: first?.token ?? '' };
      const done = { task: 't2', token: second?.token ?? '' };
      await w.one.tasks.finish(done, 'done');
      const claims = [
        mine,
        done,
        { task: 't1', token: done.token },
        { task: 'none', token: mine.token },
        { task: 't1', token: 'junk' },
        null,
      ];
      const intents = claims.map((claim, index) => sampleIntent(index + 1, { claim }));
      const answer = await w.one.fence.admitIntents(`claims-${w.namespace}`, await w.head(), intents);
      expect(answer).toMatchObject({ kind: 'admitted', disowned: [2, 3, 4, 5] });
    });
  });
}
