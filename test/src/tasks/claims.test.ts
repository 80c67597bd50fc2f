import { describe, expect, it } from 'vitest';
import type { KilldrillError } from '../../../src/errors.ts';
import type { ClaimToken } from '../../../src/store/store.ts';
import { Claims } from '../../../src/tasks/claims.ts';
import { ManualClock, pass, settled } from '../manual-clock.ts';
import { ScriptedQueue, claimedTask } from '../scripted-queue.ts';

const CLAIM_MS = 1_200;

function rig() {
  const tasks = new ScriptedQueue();
  const clock = new ManualClock();
  const lost: string[] = [];
  const errors: string[] = [];
  const onLost = ({ task }: ClaimToken, { code }: KilldrillError): void => void lost.push(`${task} ${code}`);
  const onError = ({ message }: Error): void => void errors.push(message);
  const claims = new Claims({ tasks, clock, incarnation: 'i1', claimMs: CLAIM_MS, onLost, onError });
  return { tasks, clock, lost, errors, claims };
}

const T1 = { task: 't1', token: 'token-t1' };

describe('claims that are held', () => {
  it('are extended at a third of their time, all at once, until they are released', async () => {
    const { tasks, clock, lost, claims } = rig();
    tasks.waiting = [claimedTask('t1'), claimedTask('t2')];
    expect((await claims.claim(8)).map(({ id }) => id)).toEqual(['t1', 't2']);
    await pass(clock, 410);
    expect(tasks.asked).toEqual(['claim 8 for 1200', 'extend t1,t2 for 1200']);
    claims.release(claimedTask('t2'));
    await pass(clock, 4_000);
    expect(tasks.asked.at(-1)).toBe('extend t1 for 1200');
    expect([claims.lost(T1), lost]).toEqual([null, []]);
    claims.release(claimedTask('t1'));
    claims.release(claimedTask('t1'));
    expect([clock.timerCount, claims.tasks()]).toEqual([0, []]);
  });

  it('are known for lost when the store says so: told once, and for as long as they are held', async () => {
    const { tasks, clock, lost, claims } = rig();
    for (const id of ['t1', 't2']) claims.hold(claimedTask(id));
    tasks.taken.add('t1');
    await pass(clock, 2_000);
    expect([lost, claims.lost({ task: 't2', token: 'token-t2' })]).toEqual([['t1 CLAIM_LOST'], null]);
    expect(claims.lost(T1)?.message).toContain('the claim on task t1, under which agent a1 works, is lost');
    expect(tasks.asked.at(-1), 'a lost claim is not asked for again').toBe('extend t2 for 1200');
    claims.release(claimedTask('t1'));
    expect(claims.lost(T1)).toBeNull();
    claims.close();
  });

  it('outlive a store that is away for less than their time, asked four times as soon', async () => {
    const { tasks, clock, lost, errors, claims } = rig();
    claims.hold(claimedTask('t1'));
    tasks.failing = new Error('connection refused');
    await pass(clock, 1_000);
    expect(errors.length).toBeGreaterThan(3);
    tasks.failing = null;
    await pass(clock, 2_000);
    expect([lost, claims.lost(T1)]).toEqual([[], null]);
    claims.close();
  });

  it('are lost when their time is up by our own clock, counted from the question', async () => {
    const { tasks, clock, lost, claims } = rig();
    let answer = (): void => undefined;
    tasks.waiting = [claimedTask('t1')];
    tasks.pace = () => new Promise((resolve) => (answer = resolve));
    const claiming = claims.claim(1);
    await pass(clock, 500);
    answer();
    await claiming;
    tasks.failing = new Error('down');
    tasks.pace = () => Promise.resolve();
    clock.block(699);
    expect(claims.lost(T1)).toBeNull();
    clock.block(1);
    expect(claims.lost(T1)?.code).toBe('CLAIM_LOST');
    expect(lost).toEqual(['t1 CLAIM_LOST']);
    claims.close();
  });

  it('are lost, too, when the store never answers', async () => {
    const { tasks, clock, lost, claims } = rig();
    claims.hold(claimedTask('t1'));
    tasks.pace = () => new Promise(() => undefined);
    await pass(clock, 1_600);
    expect(lost).toEqual(['t1 CLAIM_LOST']);
    claims.close();
    expect(clock.timerCount).toBeLessThanOrEqual(1);
  });

  it('that end while they are being extended are not lost', async () => {
    const { tasks, clock, lost, claims } = rig();
    claims.hold(claimedTask('t1'));
    let answer = (): void => undefined;
    tasks.pace = () => new Promise((resolve) => (answer = resolve));
    tasks.taken.add('t1');
    await pass(clock, 410);
    claims.release(claimedTask('t1'));
    answer();
    await settled();
    expect([lost, clock.timerCount]).toEqual([[], 0]);
  });

  it('are looked after though whoever is told of a loss fails', async () => {
    const tasks = new ScriptedQueue();
    const clock = new ManualClock();
    const fails = (): void => {
      throw new Error('no');
    };
    const claims = new Claims({ tasks, clock, incarnation: 'i', claimMs: CLAIM_MS, onLost: fails, onError: fails });
    for (const id of ['t1', 't2', 't3']) claims.hold(claimedTask(id));
    tasks.taken.add('t1').add('t2');
    await pass(clock, 900);
    expect(tasks.asked.at(-1)).toBe('extend t3 for 1200');
    claims.close();
    expect(clock.timerCount).toBe(0);
  });
});
