import { expect, test } from 'vitest';
import { whileStalled } from '../../../harness/selftest/stalled-witness.ts';

/** Turns of the loop for as long as something lasts, and the longest of them, milliseconds. */
async function longestTurnMs(lastsMs: number): Promise<number> {
  let longest = 0;
  const untilMs = performance.now() + lastsMs;
  for (let last = performance.now(); last < untilMs;) {
    await new Promise(setImmediate);
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  return longest;
}

test('a stalled process does not look at anything for as long as it stalls', async () => {
  const longest = await whileStalled({ everyMs: 20, forMs: 60 }, () => longestTurnMs(200));
  expect(longest).toBeGreaterThan(59);
});

test('it stalls no longer than the drill lasts, also when that fails', async () => {
  const failing = whileStalled({ everyMs: 1, forMs: 1 }, () => Promise.reject(new Error('the drill failed')));
  await expect(failing).rejects.toThrow('the drill failed');
  expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBeLessThan(3);
});

test('without stalls the drill is as it is', async () => {
  await expect(whileStalled(null, () => Promise.resolve('done'))).resolves.toBe('done');
});
