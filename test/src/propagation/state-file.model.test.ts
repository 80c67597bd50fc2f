import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterexampleOf } from '../planted-bug.ts';
import { StateWorld, acts } from './state-file.model.ts';
import type { WeakerRule } from './state-file.model.ts';
import { stateFolder } from './state-stage.ts';

/** Real files, real readers, and hands that tear, replay and forge. */
function model(rule: WeakerRule, numRuns: number): Promise<void> {
  const folder = stateFolder();
  let worlds = 0;
  return fc.assert(
    fc.asyncProperty(acts, async (history) => {
      worlds += 1;
      const own = join(folder, String(worlds));
      mkdirSync(own);
      const world = new StateWorld(own, rule);
      for (const act of history) await world.act(act);
      await world.end();
    }),
    { numRuns },
  );
}

describe('a state file among hands, writers and readers', () => {
  it('lets nobody run after a stop, trusts nothing that is damaged, and can always be released', async () => {
    await expect(model('none', 60)).resolves.toBeUndefined();
  });

  it.each<[WeakerRule, RegExp]>([
    ['goes on with a torn file', /trusts a file that is torn|though somebody said stop/],
    ['goes on without a file', /trusts a file that is missing|though somebody said stop/],
    ['accepts a replay', /trusts a file that is replayed/],
    ['a hand may release', /lowered by hand/],
    ['believes any seal', /forged|though somebody said stop/],
    ['sees no file named HALT', /though somebody said stop|is gone/],
    ['forgets a stop whose file is gone', /is gone/],
  ])('is found out where a reader %s', async (rule, symptom) => {
    expect(await counterexampleOf(() => model(rule, 300))).toMatch(symptom);
  });
});
