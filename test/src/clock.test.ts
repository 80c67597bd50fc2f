import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';

const DAY_MS = 86_400_000;

describe("the machine's clock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('waits for months, though a timer of Node’s cannot, and can be told not to', async () => {
    const [called, cancelled] = [vi.fn(), vi.fn()];
    systemClock.after(100 * DAY_MS, called);
    const cancel = systemClock.after(100 * DAY_MS, cancelled);
    await vi.advanceTimersByTimeAsync(99 * DAY_MS);
    expect(called).not.toHaveBeenCalled();
    cancel();
    await vi.advanceTimersByTimeAsync(DAY_MS);
    expect([called.mock.calls.length, cancelled.mock.calls.length]).toEqual([1, 0]);
  });
});
