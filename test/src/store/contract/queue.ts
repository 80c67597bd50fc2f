import { describe, expect, test } from 'vitest';
import { sampleIntent, sampleTask } from '../samples.ts';
import { CLAIM_MS } from './world.ts';
import type { World } from './world.ts';

/** Who runs what. */
export function describeQueue(w: World): void {
  describe('the queue', () => {
    test('hands each task to one claimant, oldest first, with all that was given', async () => {
      const plan = { steps: [1, 'zwei', null, { deep: [true] }] };
      await w.enqueue(
        ['t1', { kind: 'child', plan, lineage: ['root', 'parent'], tenant: null, feature: null }],
        ['t2'],
        ['t3'],
      );
      const [mine, theirs] = await Promise.all([
        w.one.tasks.claim('me', 1, CLAIM_MS),
        w.other.tasks.claim('they', 1, CLAIM_MS),
      ]);
      const rest = await w.one.tasks.claim('me', 10, CLAIM_MS);
      const all = [...mine, ...theirs, ...rest];
      expect(all.map(({ id }) => id).toSorted()).toEqual(['t1', 't2', 't3']);
      expect(all.find(({ id }) => id === 't1')).toEqual({
        ...{ id: 't1', token: expect.any(String), kind: 'child', run: 't1', tenant: null, feature: null },
        ...{ agent: 'agent-1', lineage: ['root', 'parent'], capability: null, plan, repeat: null },
        ...{
          dueAt: expect.any(String),
          skipped: false,
          attempts: 0,
          admittedRevision: 0,
          critical: false,
          effects: [],
        },
      });
      expect(new Set(all.map(({ token }) => token)).size).toBe(3);
      expect(await w.claimIds()).toEqual([]);
    });

    test('leaves a task that is there already as it is', async () => {
      await w.enqueue(['t1', { agent: 'first' }]);
      await w.enqueue(['t1', { agent: 'second' }]);
      expect(await w.one.tasks.claim('me', 10, CLAIM_MS)).toMatchObject([{ id: 't1', agent: 'first' }]);
    });

    test('ends a task for its claimant only, once', async () => {
      await w.enqueue(['t1']);
      const [task] = await w.one.tasks.claim('me', 1, CLAIM_MS);
      const claim = { task: 't1', token: task?.token ?? '' };
      expect(await w.other.tasks.finish({ ...claim, token: 'junk' }, 'done')).toBe(false);
      expect(await w.one.tasks.finish({ task: 'none', token: claim.token }, 'done')).toBe(false);
      expect(await w.one.tasks.finish(claim, 'failed')).toBe(true);
      expect(await w.one.tasks.finish(claim, 'done')).toBe(false);
      expect(await w.one.tasks.giveBack(claim)).toBe(false);
      expect(await w.claimIds()).toEqual([]);
    });

    test('takes a task back without spending an attempt', async () => {
      await w.enqueue(['t1']);
      const [first] = await w.one.tasks.claim('me', 1, CLAIM_MS);
      const claim = { task: 't1', token: first?.token ?? '' };
      expect(await w.one.tasks.giveBack({ ...claim, token: 'junk' })).toBe(false);
      expect(await w.one.tasks.giveBack(claim)).toBe(true);
      const [second] = await w.other.tasks.claim('they', 1, CLAIM_MS);
      expect(second).toMatchObject({ id: 't1', attempts: 0 });
      expect(second?.token).not.toBe(claim.token);
      expect(await w.one.tasks.finish(claim, 'done')).toBe(false);
    });

    test('hands a task on when its claim is over, and the old claim is worth nothing', async () => {
      await w.enqueue(['t1']);
      const [first] = await w.one.tasks.claim('me', 1, 1);
      const second = await w.expire(async () => (await w.other.tasks.claim('they', 1, CLAIM_MS))[0]);
      expect(second).toMatchObject({ id: 't1', attempts: 1 });
      const old = { task: 't1', token: first?.token ?? '' };
      expect(await w.one.tasks.finish(old, 'done')).toBe(false);
      expect(
        await w.one.fence.admitIntents(`me-${w.namespace}`, await w.head(), [sampleIntent(1, { claim: old })]),
      ).toMatchObject({ disowned: [1] });
    });

    test('never hands on a task of which an intent has no outcome, but one whose intents all have', async () => {
      await w.enqueue(['open'], ['closed'], ['later']);
      const claimed = await w.one.tasks.claim('me', 2, 100);
      const intents = claimed.map(({ id, token }, index) => sampleIntent(index + 1, { claim: { task: id, token } }));
      const incarnation = `me-${w.namespace}`;
      expect(await w.one.fence.admitIntents(incarnation, await w.head(), intents)).toMatchObject({ disowned: [] });
      const closed = claimed.findIndex(({ id }) => id === 'closed') + 1;
      await w.one.outcomes.record(incarnation, [{ seq: closed, kind: 'landed', detail: null }]);
      await w.one.outcomes.record(incarnation, [
        { seq: closed, kind: 'failed', detail: 'told twice' },
        { seq: 99, kind: 'blocked', detail: null },
      ]);
      const seen: string[] = [];
      await w.expire(async () => {
        seen.push(...(await w.other.tasks.claim('they', 10, CLAIM_MS)).map(({ id }) => id));
        return seen.includes('closed') ? true : undefined;
      });
      expect(seen.toSorted()).toEqual(['closed', 'later']);
      expect(await w.claimIds()).toEqual([]);
      const open = claimed.find(({ id }) => id === 'open');
      expect(await w.one.tasks.finish({ task: 'open', token: open?.token ?? '' }, 'done')).toBe(false);
    });

    const scopes = [
      ['global', '*', ['t1', 't2', 't3']],
      ['tenant', 'acme', ['t1']],
      ['feature', 'billing', ['t2']],
      ['agent', 'agent-3', ['t3']],
      ['run', 't2', ['t2']],
      ['run', 'root', ['t3']],
      ['tenant', 'other', []],
      ['capability', 'model/*', []],
    ] as const;
    const three = () =>
      w.enqueue(
        ['t1', { feature: null }],
        ['t2', { tenant: null, feature: 'billing' }],
        ['t3', { tenant: 'b', agent: 'agent-3', lineage: ['root', 'x'] }],
      );

    test.each(scopes)('discards what a stop of %s %s covers, for ever', async (scope, target, covered) => {
      await three();
      await w.stop({ id: `stop-${scope}`, scope, target, queue: 'discard' });
      await w.release(`stop-${scope}`);
      expect(await w.claimIds()).toEqual(['t1', 't2', 't3'].filter((id) => !covered.some((one) => one === id)));
    });

    test.each(scopes)(
      'leaves alone what a parking stop of %s %s covers, until it is released',
      async (scope, target, covered) => {
        await three();
        await w.stop({ id: `stop-${scope}`, scope, target, queue: 'park' });
        expect(await w.claimIds()).toEqual(['t1', 't2', 't3'].filter((id) => !covered.some((one) => one === id)));
        await w.release(`stop-${scope}`);
        await w.sweepAll();
        expect(await w.claimIds()).toEqual(covered);
      },
    );

    test('keeps a task that was let in after a discarding stop, until that is released', async () => {
      await w.stop({ id: 'a', scope: 'tenant', target: 'acme', queue: 'discard' });
      await w.enqueue(['t1']);
      expect(await w.claimIds()).toEqual([]);
      await w.release('a');
      await w.sweepAll();
      expect(await w.claimIds()).toEqual(['t1']);
    });

    test('gets past more discarded tasks than are asked for', async () => {
      await w.enqueue(
        ...Array.from({ length: 40 }, (_, index) => [`old-${index}`] as const satisfies Parameters<typeof sampleTask>),
      );
      await w.stop({ scope: 'tenant', target: 'acme', queue: 'discard' });
      await w.enqueue(['new', { tenant: 'b' }]);
      expect(await w.claimIds(1)).toEqual(['new']);
    });

    test('gets past 5,000 tasks that are to be parked, in one claim', async () => {
      await w.enqueue(
        ...Array.from({ length: 5_000 }, (_, at) => [`old-${at}`] as const satisfies Parameters<typeof sampleTask>),
      );
      await w.stop({ scope: 'tenant', target: 'acme', queue: 'park' });
      await w.enqueue(['new', { tenant: 'b' }]);
      expect(await w.claimIds(16)).toEqual(['new']);
      expect(await w.states()).toEqual({ parked: 5_000, running: 1 });
    });

    test('hands out what has been due longest, whenever it came', async () => {
      await w.enqueue(
        ['now'],
        ['last year', { due: { kind: 'at', at: '2025-01-01T00:00:00Z' } }],
        ['long ago', { due: { kind: 'at', at: '2020-01-01T00:00:00.000Z' } }],
      );
      const claimed = await w.one.tasks.claim('me', 10, CLAIM_MS);
      expect(claimed.map(({ id }) => id)).toEqual(['long ago', 'last year', 'now']);
      expect(Date.parse(claimed[0]?.dueAt ?? '')).toBe(Date.parse('2020-01-01T00:00:00Z'));
    });

    test('keeps a task until it is due', async () => {
      await w.enqueue(['soon', { kind: 'timer', due: { kind: 'in', ms: 30 } }]);
      await w.enqueue(['later', { kind: 'timer', due: { kind: 'in', ms: 60_000 } }]);
      await w.enqueue(['one day', { kind: 'timer', due: { kind: 'at', at: '2999-01-01T00:00:00Z' } }]);
      const claimed = await w.expire(async () => (await w.one.tasks.claim('me', 10, CLAIM_MS))[0]);
      expect(claimed).toMatchObject({ id: 'soon', kind: 'timer' });
      expect(await w.claimIds()).toEqual([]);
      expect(await w.states()).toEqual({ running: 1, queued: 2 });
    });

    test("prolongs the claims that are still their claimant's, and says which", async () => {
      await w.enqueue(['t1'], ['t2'], ['t3']);
      const claimed = await w.one.tasks.claim('me', 3, 50);
      const claims = claimed.map(({ id, token }) => ({ task: id, token }));
      const done = claims.find(({ task }) => task === 't2') ?? { task: '', token: '' };
      await w.one.tasks.finish(done, 'done');
      const kept = claims.filter(({ task }) => task !== 't3');
      expect(await w.one.tasks.extend([...kept, { task: 't1', token: 'junk' }], CLAIM_MS)).toEqual(['t1']);
      expect(await w.one.tasks.extend([], CLAIM_MS)).toEqual([]);
      const over = await w.expire(async () => (await w.other.tasks.claim('they', 10, CLAIM_MS))[0]);
      expect(over.id).toBe('t3');
      expect(await w.claimIds()).toEqual([]);
    });

    test('tells a claimant what earlier claims have done, by key the newest', async () => {
      await w.enqueue(['t1'], ['t2', { due: { kind: 'in', ms: 60_000 } }]);
      const first = await w.claimOne('t1');
      await w.effect(first.claim, 't1/0', 'landed');
      await w.effect(first.claim, 't1/1', 'failed');
      expect(await w.one.tasks.retry(first.claim, 0)).toBe('queued');
      const second = await w.claimOne('t1');
      expect(second.task.effects.toSorted((one, other) => (one.key < other.key ? -1 : 1))).toEqual([
        { key: 't1/0', capability: 'write/mail', outcome: 'landed' },
        { key: 't1/1', capability: 'write/mail', outcome: 'failed' },
      ]);
      await w.effect(second.claim, 't1/1', 'landed');
      await w.effect(second.claim, 't1/2', 'blocked');
      expect(await w.one.tasks.giveBack(second.claim)).toBe(true);
      const third = await w.claimOne('t1');
      expect(new Map(third.task.effects.map(({ key, outcome }) => [key, outcome]))).toEqual(
        new Map([
          ['t1/0', 'landed'],
          ['t1/1', 'landed'],
          ['t1/2', 'blocked'],
        ]),
      );
    });

    test('refuses a time that is none, with its whole batch', async () => {
      const wrong = { due: { kind: 'at', at: 'some day' } } as const;
      const tasks = [sampleTask('t1'), sampleTask('t2', wrong)];
      await expect(w.one.fence.enqueue(await w.head(), tasks)).rejects.toMatchObject({ code: 'STORE_VALUE' });
      expect(await w.states()).toEqual({});
      await w.enqueue(['t1', { repeat: 'every 60000' }]);
      const { claim } = await w.claimOne('t1');
      await expect(w.one.tasks.finish(claim, 'done', 'some day')).rejects.toMatchObject({ code: 'STORE_VALUE' });
      expect(await w.one.tasks.finish(claim, 'done')).toBe(true);
    });

    test('gives every task the head under which it was let in', async () => {
      await w.enqueue(['before']);
      await w.stop({ scope: 'tenant', target: 'nobody' });
      await w.stop({ scope: 'tenant', target: 'nobody either' });
      await w.enqueue(['after']);
      const claimed = await w.one.tasks.claim('me', 10, CLAIM_MS);
      expect(claimed.map(({ id, admittedRevision }) => [id, admittedRevision])).toEqual([
        ['before', 0],
        ['after', 2],
      ]);
    });
  });
}
