import { describe, expect, test } from 'vitest';
import { chainHash } from '../../../../src/flip-chain.ts';
import { stopText } from '../samples.ts';
import type { World } from './world.ts';

/** What becomes of a flip. */
export function describeFlips(w: World): void {
  describe('flips', () => {
    test('get revisions without gaps and hashes that chain', async () => {
      const start = await w.head();
      expect(start).toMatchObject({ revision: 0, hash: '' });
      const texts = [stopText(w.namespace, { reason: 'Grüße, 世界 🛑 "quoted" \\ \n' }), stopText(w.namespace)];
      const first = await w.one.control.flip(texts[0] ?? '', 'c2lnbmVk');
      const second = await w.other.control.flip(texts[1] ?? '', null);
      expect(first.record).toEqual({
        epoch: start.epoch,
        revision: 1,
        hash: chainHash('', start.epoch, 1, texts[0] ?? ''),
        text: texts[0],
        signature: 'c2lnbmVk',
      });
      expect(second.record).toMatchObject({
        revision: 2,
        hash: chainHash(first.record.hash, start.epoch, 2, texts[1] ?? ''),
      });
      expect(second.head).toEqual({ epoch: start.epoch, revision: 2, hash: second.record.hash });
    });

    test('of two processes at once are all kept, one after another', async () => {
      const texts = Array.from({ length: 24 }, () => stopText(w.namespace));
      const answers = await Promise.all(
        texts.map((text, index) => (index % 2 ? w.one : w.other).control.flip(text, null)),
      );
      expect(answers.map(({ record }) => record.revision).toSorted((a, b) => a - b)).toEqual(
        texts.map((_, index) => index + 1),
      );
      const { open, head: last } = await w.other.flips.load();
      expect(open.map(({ revision }) => revision)).toEqual(texts.map((_, index) => index + 1));
      let hash = '';
      for (const record of open)
        expect(record.hash).toBe((hash = chainHash(hash, record.epoch, record.revision, record.text)));
      expect(last.hash).toBe(hash);
    });

    test('given twice yield the first answer, also after others', async () => {
      const text = stopText(w.namespace);
      const first = await w.one.control.flip(text, 'first');
      await w.stop();
      const again = await w.other.control.flip(text, 'second');
      expect(again.record).toEqual(first.record);
      expect(again.head.revision).toBe(2);
    });

    test('with a used id and another text are refused', async () => {
      await w.stop({ id: 'once' });
      await expect(w.stop({ id: 'once', reason: 'another' })).rejects.toMatchObject({
        code: 'FLIP_ID_REUSED',
        message: expect.stringContaining("'once'"),
      });
      await expect(
        w.other.flips.relay(stopText(w.namespace, { id: 'once', reason: 'third' }), null),
      ).rejects.toMatchObject({ code: 'FLIP_ID_REUSED' });
      expect((await w.head()).revision).toBe(1);
    });

    test('of another namespace, and what is no flip, are refused', async () => {
      await expect(w.one.control.flip(stopText('elsewhere'), null)).rejects.toMatchObject({
        code: 'FLIP_NAMESPACE',
        message: expect.stringContaining("'elsewhere'"),
      });
      await expect(w.one.flips.relay(stopText('elsewhere'), null)).rejects.toMatchObject({ code: 'FLIP_NAMESPACE' });
      await expect(w.one.control.flip('{"kind":"stop"', null)).rejects.toMatchObject({ code: 'FLIP_UNREADABLE' });
      await expect(w.one.control.flip('{"kind":"stop"}', null)).rejects.toMatchObject({ code: 'FLIP_UNREADABLE' });
      expect((await w.head()).revision).toBe(0);
    });

    test('that release close the engagements that they name and no other', async () => {
      await w.stop({ id: 'a' });
      await w.stop({ id: 'b' });
      await w.stop({ id: 'c' });
      await w.release('a', 'c');
      expect((await w.one.control.openEngagements()).map(({ revision, flip }) => [revision, flip.id])).toEqual([
        [2, 'b'],
      ]);
      expect((await w.other.flips.load()).open.map(({ revision }) => revision)).toEqual([2]);
    });

    test('that release what is not open are refused and named, and change nothing', async () => {
      await w.stop({ id: 'a' });
      await w.stop({ id: 'b' });
      await w.release('a');
      const refused = expect.objectContaining({
        code: 'ENGAGEMENT_NOT_OPEN',
        message: expect.stringMatching(/'a' \(closed at revision 3\), 'never' \(unknown\)/),
      });
      await expect(w.release('never', 'b', 'a')).rejects.toEqual(refused);
      expect((await w.head()).revision).toBe(3);
      expect((await w.one.control.openEngagements()).map(({ flip }) => flip.id)).toEqual(['b']);
    });
  });
}
