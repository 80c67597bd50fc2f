import { describe, expect, it, vi } from 'vitest';
import { Claimant } from '../../fleet-sim/claimant.ts';
import type { ClaimedTask } from '../../src/index.ts';
import { ManualClock } from '../src/manual-clock.ts';

const TASK = { id: 't', token: 'c' } as ClaimedTask;

/** A claimant whose claims answer these, and then nothing, while no time passes; its tasks never end. */
function claiming(...answers: readonly (readonly ClaimedTask[])[]) {
  const left = [...answers];
  const claim = vi.fn((_limit: number) => Promise.resolve(left.shift() ?? []));
  const stop = new AbortController();
  const claimant = new Claimant({
    agents: 8,
    claims: { claim },
    decider: { verified: () => true },
    clock: new ManualClock(),
    stopping: stop.signal,
    begin: () => new Promise(() => undefined),
    log: () => undefined,
  });
  void claimant.run();
  return { claim, stop };
}

describe('a claimant', () => {
  it('that got less than it wanted asks again at once, since more may lie behind what was settled', async () => {
    const { claim, stop } = claiming([TASK], [TASK, TASK]);
    await expect.poll(() => claim.mock.calls.map(([limit]) => limit)).toEqual([8, 7, 5]);
    stop.abort();
  });

  it('that got nothing waits for news or its next poll', async () => {
    const { claim, stop } = claiming([], [TASK]);
    await expect.poll(() => claim.mock.calls.length).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(claim).toHaveBeenCalledTimes(1);
    stop.abort();
  });
});
