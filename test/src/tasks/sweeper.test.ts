import { describe, expect, it } from 'vitest';
import { Sweeper } from '../../../src/tasks/sweeper.ts';
import { ManualClock, pass, settled } from '../manual-clock.ts';
import { ScriptedQueue } from '../scripted-queue.ts';

function rig() {
  const tasks = new ScriptedQueue();
  const clock = new ManualClock();
  const errors: string[] = [];
  const sweeper = new Sweeper({ tasks, clock, onError: ({ message }) => errors.push(message) });
  return { tasks, clock, errors, sweeper, sweeps: () => tasks.asked.length };
}

describe('the sweeper', () => {
  it('does batch after batch until nothing is left, then asks once a second', async () => {
    const { tasks, clock, sweeper, sweeps } = rig();
    tasks.sweeps = [
      { swept: 2_000, more: true },
      { swept: 2_000, more: true },
      { swept: 7, more: false },
    ];
    sweeper.start();
    await pass(clock, 50);
    expect([sweeper.sweptCount, tasks.asked]).toEqual([4_007, ['sweep 2000', 'sweep 2000', 'sweep 2000']]);
    await pass(clock, 900);
    expect(sweeps()).toBe(3);
    await pass(clock, 200);
    expect(sweeps()).toBe(4);
    await sweeper.close();
  });

  it('looks at once when it is woken, and once more when that was during a batch', async () => {
    const { tasks, clock, sweeper, sweeps } = rig();
    sweeper.start();
    await settled();
    sweeper.wake();
    await settled();
    expect(sweeps()).toBe(2);
    let answer = (): void => undefined;
    tasks.pace = () => new Promise((resolve) => (answer = resolve));
    sweeper.wake();
    await settled();
    for (let news = 0; news < 5; news += 1) sweeper.wake();
    await settled();
    expect(sweeps(), 'one at a time').toBe(3);
    tasks.pace = () => Promise.resolve();
    answer();
    await settled();
    expect(sweeps()).toBe(4);
    await sweeper.close();
    expect(clock.timerCount).toBe(0);
  });

  it('reports an error and tries again, and not in a busy loop however often it is woken', async () => {
    const { tasks, clock, errors, sweeper, sweeps } = rig();
    tasks.sweeps = [new Error('connection refused'), { swept: 3, more: false }];
    sweeper.start();
    await settled();
    for (let news = 0; news < 50; news += 1) {
      sweeper.wake();
      await settled();
    }
    expect([sweeps(), errors]).toEqual([1, ['connection refused']]);
    await pass(clock, 1_000);
    expect(sweeper.sweptCount).toBe(3);
    await sweeper.close();
  });

  it('survives a log that fails', async () => {
    const tasks = new ScriptedQueue();
    const clock = new ManualClock();
    tasks.failing = new Error('down');
    const onError = (): void => {
      throw new Error('disk full');
    };
    const sweeper = new Sweeper({ tasks, clock, onError });
    sweeper.start();
    await pass(clock, 3_100, 100);
    expect(tasks.asked).toHaveLength(4);
    await sweeper.close();
  });

  it('gives up a batch that is never answered, and goes on', async () => {
    const { tasks, clock, errors, sweeper } = rig();
    tasks.pace = () => new Promise(() => undefined);
    sweeper.start();
    await settled();
    tasks.pace = () => Promise.resolve();
    await pass(clock, 11_100, 100);
    expect(errors).toEqual([expect.stringContaining('within 10000 ms')]);
    expect(tasks.asked.length).toBeGreaterThan(1);
    await sweeper.close();
  });

  it('leaves others their turn between batches, and ends in the midst of an endless sweep', async () => {
    const { tasks, clock, sweeper, sweeps } = rig();
    tasks.sweeps = Array.from({ length: 1_000 }, () => ({ swept: 1, more: true }));
    sweeper.start();
    await pass(clock, 50);
    const soFar = sweeps();
    expect(soFar).toBeGreaterThan(1);
    await sweeper.close();
    expect([sweeps() - soFar < 2, clock.timerCount]).toEqual([true, 0]);
  });

  it('may be closed before it was started, and twice', async () => {
    const { clock, sweeper } = rig();
    await sweeper.close();
    await sweeper.close();
    expect(clock.timerCount).toBe(0);
  });
});
