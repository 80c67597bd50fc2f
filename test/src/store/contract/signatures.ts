import { describe, expect, test } from 'vitest';
import { releaseText, stopText } from '../samples.ts';
import type { World } from './world.ts';

/** What a store keeps of signatures, which it cannot verify. */
export function describeSignatures(w: World): void {
  describe('signatures', () => {
    test('of a stop-taker take the place of what a relay brought before', async () => {
      const text = stopText(w.namespace, { id: 'e1' });
      await w.one.flips.relay(text, 'junk');
      expect(await w.one.control.flip(text, 'true')).toMatchObject({ record: { revision: 1, signature: 'true' } });
      await w.one.flips.relay(text, 'more junk');
      expect((await w.other.flips.load()).open).toMatchObject([{ text, signature: 'true' }]);
      expect((await w.one.audit.page(0, 10)).flips).toMatchObject([{ signatures: ['junk', 'more junk'] }]);
    });

    test('of a stop-taker stay, whatever comes afterwards', async () => {
      const text = stopText(w.namespace, { id: 'e1' });
      await w.one.control.flip(text, 'true');
      await w.one.control.flip(text, 'other');
      for (let nth = 0; nth < 9; nth += 1) await w.one.flips.relay(text, `junk ${nth}`);
      const { flips } = await w.one.audit.page(0, 10);
      expect(flips).toMatchObject([{ signature: 'true', signatures: { length: 4 } }]);
    });

    test('are refused where they are too long to be any', async () => {
      const text = stopText(w.namespace);
      const long = 'x'.repeat(301);
      await expect(w.one.flips.relay(text, long)).rejects.toMatchObject({ code: 'SIGNATURE_UNREADABLE' });
      await expect(w.one.control.flip(text, long)).rejects.toMatchObject({ code: 'SIGNATURE_UNREADABLE' });
    });

    test('of heads are kept where the chain has that head', async () => {
      const { head } = await w.stop();
      await w.stop();
      await w.one.audit.signHead({ ...head, signature: 'signed' });
      await w.one.audit.signHead({ ...head, signature: 'signed too' });
      for (const wrong of [{ hash: 'other' }, { epoch: 'other' }, { revision: 3 }, { revision: 0, hash: '' }]) {
        const other = w.one.audit.signHead({ ...head, ...wrong, signature: 'x' });
        await expect(other).rejects.toMatchObject({ code: 'HEAD_UNKNOWN' });
      }
      expect(await w.other.audit.signedHeads(0, 1)).toMatchObject([
        { ...head, signature: 'signed' },
        { ...head, signature: 'signed too' },
      ]);
      expect(await w.other.audit.signedHeads(1, 1)).toEqual([]);
    });
  });

  describe('a load with proof', () => {
    test('has what was closed, and by what, since the newest signed head, or ever', async () => {
      const [first, second] = [await w.stop({ id: 'e1' }), await w.stop({ id: 'e2' })];
      const old = await w.release('e1');
      expect((await w.other.flips.load()).released).toBeUndefined();
      expect(await w.other.flips.load('signed')).toMatchObject({
        open: [{ revision: 2 }],
        released: { since: null, releases: [{ ...old.record, closed: [first.record] }] },
      });
      await w.one.audit.signHead({ ...old.head, signature: 'signed' });
      const newer = await w.release('e2');
      expect((await w.other.flips.load('signed')).released).toEqual({
        since: { ...old.head, signature: 'signed' },
        releases: [{ ...newer.record, closed: [second.record] }],
      });
      const all = (await w.other.flips.load('all')).released;
      expect(all).toMatchObject({ since: null, releases: [{ revision: 3 }, { revision: 4 }] });
    });

    test('says of a relayed stop which release closed it', async () => {
      const text = stopText(w.namespace, { id: 'e1' });
      expect((await w.one.flips.relay(text, null)).release).toBeNull();
      const { record } = await w.release('e1');
      expect(await w.one.flips.relay(text, null)).toMatchObject({ kind: 'closed', release: { text: record.text } });
    });
  });

  describe('a release that is given again', () => {
    test('may name what is closed, which then counts as closed by it', async () => {
      await w.stop({ id: 'e1' });
      await w.release('e1');
      const again = releaseText(w.namespace, ['e1']);
      await expect(w.one.control.flip(again, 'true')).rejects.toMatchObject({ code: 'ENGAGEMENT_NOT_OPEN' });
      await w.one.control.flip(again, 'true', { again: true });
      const { released } = await w.other.flips.load('all');
      expect(released).toMatchObject({ releases: [{ text: again, signature: 'true', closed: [{ revision: 1 }] }] });
      await expect(w.release('e1'), 'by its own word only').rejects.toMatchObject({ code: 'ENGAGEMENT_NOT_OPEN' });
    });

    test('names no stop that never was', async () => {
      const text = releaseText(w.namespace, ['never']);
      const given = w.one.control.flip(text, 'true', { again: true });
      await expect(given).rejects.toMatchObject({ code: 'ENGAGEMENT_NOT_OPEN' });
    });
  });

  describe('the record', () => {
    test('is read in pages, and says what is open', async () => {
      for (const id of ['b', 'a', 'C', 'ä']) await w.stop({ id });
      const { head } = await w.release('a');
      const page = await w.other.audit.page(2, 2);
      expect(page).toMatchObject({ head, flips: [{ revision: 3, id: 'C', kind: 'stop' }, { revision: 4 }] });
      expect(page.flips[1]?.previousHash).toBe(page.flips[0]?.hash);
      expect(await w.other.audit.page(4, 9)).toMatchObject({ flips: [{ kind: 'release', signatures: [] }] });
      expect(await w.other.audit.openIds('', 2)).toEqual(['C', 'b']);
      expect(await w.other.audit.openIds('b', 2)).toEqual(['ä']);
    });
  });
}
