import { describe, expect, test } from 'vitest';
import { SOMEBODY, releaseText, sampleContract } from '../samples.ts';
import type { World } from './world.ts';

/** A release needs something to have changed. */
export function describeGreenCheck(w: World): void {
  const declare = (...parts: Parameters<typeof sampleContract>): Promise<void> =>
    w.one.operator.declareContract(sampleContract(...parts), SOMEBODY);
  const red = (id: string) => ({ code: 'RELEASE_NOT_GREEN', message: expect.stringContaining(id) });

  describe('a release', () => {
    test('is refused while the fleet runs what it ran at the stop, and changes nothing', async () => {
      await declare();
      await w.enqueue(['t1']);
      await w.stop({ id: 'a', queue: 'park' });
      const at = await w.head();
      await expect(w.release('a')).rejects.toMatchObject(red('a'));
      expect(await w.head()).toEqual(at);
      expect((await w.other.flips.load()).open).toHaveLength(1);
      await w.sweepAll();
      expect(await w.claimIds()).toEqual([]);
      expect(await w.one.operator.redReasons(['a'])).toMatchObject([
        { engagement: 'a', reason: expect.stringContaining('prompt-1') },
      ]);
    });

    test.each([
      ['model', { model: 'model-2' }],
      ['prompt', { prompt: 'prompt-2' }],
      ["tool's version", { tools: { mail: '1.0.1', crm: '2.1.0' } }],
      ['tool less', { tools: { mail: '1.0.0' } }],
    ])('is green once another %s runs', async (_, changed) => {
      await declare();
      await w.stop({ id: 'a' });
      await declare(changed);
      expect(await w.one.operator.redReasons(['a'])).toEqual([]);
      await w.release('a');
      expect((await w.head()).revision).toBe(2);
    });

    test('stays red when the same contract is declared again, its tools in another order', async () => {
      await declare({ tools: { mail: '1', crm: '2' } });
      await w.stop({ id: 'a' });
      await declare({ tools: { crm: '2', mail: '1' } });
      await expect(w.release('a')).rejects.toMatchObject(red('a'));
    });

    test('is red again when what was mended is rolled back to what ran at the stop', async () => {
      await declare();
      await w.stop({ id: 'a' });
      await declare({ prompt: 'prompt-2' });
      await declare();
      await expect(w.release('a')).rejects.toMatchObject(red('a'));
    });

    test('is green where no contract was declared at the stop', async () => {
      await w.stop({ id: 'a' });
      await declare();
      await w.release('a');
      expect((await w.other.flips.load()).open).toEqual([]);
    });

    test('of several is refused for one that is red, and closes none', async () => {
      await w.stop({ id: 'green' });
      await declare();
      await w.stop({ id: 'red' });
      expect(await w.one.operator.redReasons(['green', 'red'])).toMatchObject([{ engagement: 'red' }]);
      await expect(w.release('green', 'red')).rejects.toMatchObject(red('red'));
      expect((await w.other.flips.load()).open).toHaveLength(2);
      await w.release('green');
    });

    test('goes through although it is red when somebody says why', async () => {
      await declare();
      await w.stop({ id: 'a' });
      const text = releaseText(w.namespace, ['a']);
      await expect(w.one.control.flip(text, null, { evenIfRed: '  ' })).rejects.toMatchObject(red('a'));
      const taken = await w.one.control.flip(text, null, { evenIfRed: 'the alert was false' });
      expect(taken.record).toMatchObject({ revision: 2, text });
      expect((await w.other.flips.load()).open).toEqual([]);
      expect((await w.one.control.flip(text, null)).record).toEqual(taken.record);
    });

    test('of what is not open is refused for that, whatever its colour', async () => {
      await declare();
      await expect(
        w.one.control.flip(releaseText(w.namespace, ['never']), null, { evenIfRed: 'because' }),
      ).rejects.toMatchObject({ code: 'ENGAGEMENT_NOT_OPEN' });
      expect(await w.one.operator.redReasons(['never'])).toEqual([]);
    });
  });
}
