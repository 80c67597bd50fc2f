import { describe, expect, test, vi } from 'vitest';
import type { FlipRecord, Head } from '../../../../src/store/store.ts';
import { releaseText, stopText } from '../samples.ts';
import { WAIT } from './world.ts';
import type { World } from './world.ts';

/** How a process learns of flips. */
export function describeRegistryPlane(w: World): void {
  describe('the registry plane', () => {
    test('answers with the flips after a head that is part of its history', async () => {
      const start = await w.head();
      const first = await w.stop();
      const second = await w.stop();
      expect(await w.other.flips.flipsAfter(start)).toMatchObject({
        kind: 'flips',
        flips: [first.record, second.record],
      });
      expect(await w.other.flips.flipsAfter(first.head)).toMatchObject({
        kind: 'flips',
        flips: [second.record],
        head: second.head,
      });
      expect(await w.other.flips.flipsAfter(second.head)).toMatchObject({
        kind: 'flips',
        flips: [],
        head: second.head,
      });
    });

    test('says that a head is of another history', async () => {
      const { head: first } = await w.stop();
      await w.stop();
      const others: readonly Head[] = [
        { ...first, epoch: 'other' },
        { ...first, hash: 'other' },
        { ...first, revision: 2 },
        { ...first, revision: 3 },
        { ...first, revision: 0 },
        { ...first, revision: -1, hash: '' },
      ];
      for (const wrong of others)
        expect(await w.other.flips.flipsAfter(wrong)).toMatchObject({ kind: 'diverged', head: { revision: 2 } });
    });

    test('takes a stop that somebody already holds, once', async () => {
      const text = stopText(w.namespace, { id: 'early' });
      expect(await w.one.flips.relay(text, 'sig')).toMatchObject({ kind: 'open', revision: 1 });
      expect(await w.other.flips.relay(text, 'sig')).toMatchObject({
        kind: 'open',
        revision: 1,
        head: { revision: 1 },
      });
      expect((await w.other.flips.load()).open).toMatchObject([{ text, signature: 'sig' }]);
    });

    test('says of a relayed stop that it was closed since', async () => {
      const text = stopText(w.namespace, { id: 'early' });
      await w.one.control.flip(text, null);
      await w.release('early');
      expect(await w.other.flips.relay(text, null)).toMatchObject({
        kind: 'closed',
        revision: 1,
        head: { revision: 2 },
      });
    });

    test('relays no release', async () => {
      await w.stop({ id: 'a' });
      await expect(w.one.flips.relay(releaseText(w.namespace, ['a']), null)).rejects.toMatchObject({
        code: 'RELAY_REFUSED',
      });
      expect((await w.one.flips.load()).open).toHaveLength(1);
    });

    test('tells every listener of each flip, and a closed one no more', async () => {
      const heard: (FlipRecord | null)[][] = [[], []];
      const lost = vi.fn();
      const subscriptions = [
        await w.one.flips.listen((record) => heard[0]?.push(record), lost),
        await w.other.flips.listen((record) => heard[1]?.push(record), lost),
      ];
      const { record } = await w.stop();
      await vi.waitFor(() => expect(heard).toEqual([[record], [record]]), WAIT);
      await subscriptions[0]?.close();
      await w.stop();
      await vi.waitFor(() => expect(heard[1]).toHaveLength(2), WAIT);
      expect(heard[0]).toHaveLength(1);
      expect(lost).not.toHaveBeenCalled();
    });
  });
}
