import { expect, it } from 'vitest';
import { Rounds } from '../../../src/alerts/rounds.ts';
import { systemClock } from '../../../src/clock.ts';

it('a round that failed is done again, though the log fails too', async () => {
  let done = 0;
  const isDone = new Promise<void>((resolve) => {
    const rounds: Rounds = new Rounds({
      ...{ clock: systemClock, retryMs: 1 },
      round: () => {
        done += 1;
        if (done === 1) return Promise.reject(new Error('the store is away'));
        resolve();
        return Promise.resolve();
      },
      onError: () => {
        throw new Error('the disk of the log is full');
      },
    });
    rounds.poke();
  });
  await isDone;
  expect(done).toBe(2);
});
