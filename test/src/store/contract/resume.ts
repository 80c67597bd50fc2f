import { describe, expect, test } from 'vitest';
import type { ResumeAnswer, ResumeStaging, ResumeWhich } from '../../../../src/store/store.ts';
import { SOMEBODY } from '../samples.ts';
import type { sampleTask } from '../samples.ts';
import type { World } from './world.ts';

type Task = Parameters<typeof sampleTask>;

const ALL: ResumeWhich = { kind: 'all' };
const AT_ONCE: ResumeStaging = { kind: 'at-once' };

/** How what was discarded comes back. */
export function describeResume(w: World): void {
  const resume = (which: ResumeWhich, staging = AT_ONCE): Promise<ResumeAnswer> =>
    w.one.operator.resume(which, staging, SOMEBODY);
  const discardAll = async (id = 'a'): Promise<void> => {
    await w.stop({ id, queue: 'discard' });
    await w.sweepAll();
  };

  describe('a resume', () => {
    test('brings back what was discarded, once, under the stamp of now', async () => {
      await w.enqueue(['t1', { plan: { kept: true } }], ['t2', { run: 'shared' }], ['t3', { run: 'shared' }]);
      await discardAll();
      await w.release('a');
      const answer = await resume(ALL);
      expect(answer).toMatchObject({ tasks: 3, parked: 0 });
      expect(answer.runs.toSorted()).toEqual(['shared', 't1']);
      expect(await resume(ALL)).toEqual({ tasks: 0, runs: [], lastDueInMs: 0, parked: 0 });
      await w.sweepAll();
      const claimed = await w.other.tasks.claim('they', 10, 60_000);
      expect(claimed.map(({ id }) => id).toSorted()).toEqual(['t1', 't2', 't3']);
      expect(claimed.find(({ id }) => id === 't1')).toMatchObject({ plan: { kept: true }, admittedRevision: 2 });
      expect(await w.claimIds()).toEqual([]);
    });

    test.each([ALL, { kind: 'runs', runs: ['t7'] }, { kind: 'tenant', tenant: 'acme' }] as const)(
      'of $kind brings back what a stop discards though nobody has swept yet',
      async (which) => {
        const many = Array.from({ length: 3_000 }, (_, at) => [`t${at}`] as const satisfies Task);
        await w.enqueue(...many, ['of another', { tenant: 'b' }]);
        await w.stop({ id: 'parks', queue: 'park', scope: 'agent', target: 'nobody' });
        await w.stop({ id: 'a', queue: 'discard', scope: 'tenant', target: 'acme' });
        await w.release('a');
        const back = which.kind === 'runs' ? 1 : 3_000;
        expect(await resume(which)).toMatchObject({ tasks: back, parked: 0 });
        await w.sweepAll();
        const discarded = 3_000 - back;
        expect(await w.states()).toEqual({ queued: back + 1, ...(discarded === 0 ? {} : { discarded }) });
      },
    );

    test('names runs, or a tenant, and brings nobody else back', async () => {
      await w.enqueue(['t1'], ['t2'], ['t3', { tenant: 'b' }], ['t4', { tenant: null }]);
      await discardAll();
      await w.release('a');
      expect(await resume({ kind: 'runs', runs: ['t2'] })).toMatchObject({ tasks: 1, runs: ['t2'] });
      expect(await w.claimIds()).toEqual(['t2']);
      expect(await resume({ kind: 'tenant', tenant: 'b' })).toMatchObject({ tasks: 1, runs: ['t3'] });
      expect(await resume({ kind: 'tenant', tenant: 'nobody' })).toMatchObject({ tasks: 0, runs: [] });
      expect(await w.claimIds()).toEqual(['t3']);
      expect(await w.states()).toEqual({ discarded: 2, running: 2 });
    });

    test('of a run that was never stopped is refused and named, and resumes nothing', async () => {
      await w.enqueue(['stopped'], ['going on', { tenant: 'b' }]);
      await w.stop({ id: 'a', scope: 'tenant', target: 'acme', queue: 'discard' });
      await w.sweepAll();
      const refused = resume({ kind: 'runs', runs: ['stopped', 'going on', 'never heard of'] });
      await expect(refused).rejects.toMatchObject({
        code: 'RUN_NOT_STOPPED',
        message: expect.stringMatching(/'going on'.*'never heard of'/),
      });
      await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining("'stopped'") });
      expect(await w.states()).toEqual({ discarded: 1, queued: 1 });
    });

    test('by run brings back what is unknown, and tells what is', async () => {
      await w.enqueue(['t1']);
      const { claim } = await w.claimOne('t1');
      await w.effect(claim, 't1/0', 'landed');
      await w.effect(claim, 't1/1');
      await w.one.tasks.halted(claim, null);
      expect(await resume(ALL)).toMatchObject({ tasks: 0 });
      expect(await resume({ kind: 'runs', runs: ['t1'] })).toMatchObject({ tasks: 1, runs: ['t1'] });
      const { task } = await w.claimOne('t1');
      expect(new Map(task.effects.map(({ key, outcome }) => [key, outcome]))).toEqual(
        new Map([
          ['t1/0', 'landed'],
          ['t1/1', null],
        ]),
      );
    });

    test('under an open stop comes back parked, and runs when that is released', async () => {
      await w.enqueue(['t1'], ['t2', { tenant: 'b' }]);
      await w.stop({ id: 'a', scope: 'tenant', target: 'acme', queue: 'discard' });
      await w.stop({ id: 'b', scope: 'tenant', target: 'b', queue: 'discard' });
      await w.sweepAll();
      await w.release('b');
      expect(await resume(ALL)).toMatchObject({ tasks: 2, parked: 1 });
      await w.sweepAll();
      expect(await w.claimIds()).toEqual(['t2']);
      expect(await w.states()).toEqual({ parked: 1, running: 1 });
      await w.release('a');
      expect(await w.sweepAll()).toBe(1);
      expect(await w.claimIds()).toEqual(['t1']);
    });

    test('is held again by a stop that is opened later', async () => {
      await w.enqueue(['t1'], ['t2'], ['t3']);
      await discardAll();
      await w.release('a');
      await resume(ALL, { kind: 'rate', tasksPerSecond: 0.01 });
      const first = await w.one.tasks.claim('me', 10, 60_000);
      expect(first).toHaveLength(1);
      await discardAll('b');
      expect(await w.states()).toEqual({ running: 1, discarded: 2 });
      await w.release('b');
      expect(await resume(ALL)).toMatchObject({ tasks: 2 });
      expect(await w.states()).toEqual({ running: 1, queued: 2 });
    });

    test('at a rate comes back one after another, by due times that stay', async () => {
      await w.enqueue(['t1'], ['t2'], ['t3'], ['t4']);
      await discardAll();
      await w.release('a');
      const { lastDueInMs, tasks } = await resume(ALL, { kind: 'rate', tasksPerSecond: 0.01 });
      expect(tasks).toBe(4);
      expect(lastDueInMs).toBeGreaterThan(250_000);
      expect(lastDueInMs).toBeLessThanOrEqual(300_000);
      expect(await w.claimIds()).toHaveLength(1);
      expect(await w.states()).toEqual({ running: 1, queued: 3 });
    });

    test('by tenants comes back one tenant after another', async () => {
      await w.enqueue(['a1', { tenant: 'a' }], ['b1', { tenant: 'b' }], ['a2', { tenant: 'a' }]);
      await discardAll();
      await w.release('a');
      const { lastDueInMs } = await resume(ALL, { kind: 'tenants', everyMs: 100_000 });
      expect(lastDueInMs).toBeGreaterThan(50_000);
      expect(lastDueInMs).toBeLessThanOrEqual(100_000);
      expect((await w.claimIds()).toSorted()).toEqual(['a1', 'a2']);
    });

    test('leaves what is not due yet to its own time', async () => {
      await w.enqueue(['t1', { kind: 'timer', due: { kind: 'at', at: '2999-01-01T00:00:00Z' } }]);
      await discardAll();
      await w.release('a');
      expect(await resume(ALL)).toMatchObject({ tasks: 1 });
      expect(await w.claimIds()).toEqual([]);
    });

    test.each<[string, ResumeWhich, ResumeStaging]>([
      ['at no rate', ALL, { kind: 'rate', tasksPerSecond: 0 }],
      ['at a rate of the past', ALL, { kind: 'rate', tasksPerSecond: -1 }],
      ['with tenants before each other', ALL, { kind: 'tenants', everyMs: -1 }],
      ['of no run', { kind: 'runs', runs: [] }, AT_ONCE],
    ])('%s is refused', async (_, which, staging) => {
      await w.enqueue(['t1']);
      await discardAll();
      await expect(resume(which, staging)).rejects.toMatchObject({ code: 'RESUME_INVALID' });
      expect(await w.states()).toEqual({ discarded: 1 });
    });
  });
}
