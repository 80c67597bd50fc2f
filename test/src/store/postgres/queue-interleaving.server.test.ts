import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ClaimToken, Head, SweepAnswer, TaskState } from '../../../../src/store/store.ts';
import { CLAIM_MS } from '../contract/world.ts';
import type { StoreHandles } from '../contract/world.ts';
import { releaseText, sampleIntent, sampleTask, stopText } from '../samples.ts';
import { sessionsEach } from './namespace-each.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { admit, begin, call, flip, pidOf, untilWaiting } from './statements.ts';

let database: PreparedDatabase;
let owner: pg.Client;
/** Two sessions whose transactions a test holds open. */
let first: pg.Client;
let second: pg.Client;
let namespace: string;
let store: StoreHandles;
let start: Head;

sessionsEach((ground) => ({ database, owner, first, second, namespace, store, start } = ground));

const park = (id: string) => stopText(namespace, { id, queue: 'park' });
const discard = (id: string) => stopText(namespace, { id, queue: 'discard' });
const release = (id: string) => releaseText(namespace, [id]);

async function enqueue(...ids: readonly string[]): Promise<void> {
  const { head } = await store.flips.load();
  const tasks = ids.map((id) => sampleTask(id));
  expect(await store.fence.enqueue(head, tasks)).toMatchObject({ kind: 'admitted' });
}

async function claimOne(): Promise<ClaimToken> {
  const [task] = await store.tasks.claim('me', 1, CLAIM_MS);
  if (task === undefined) throw new Error('nothing was claimed');
  return { task: task.id, token: task.token };
}

async function states(): Promise<Readonly<Record<string, TaskState>>> {
  const { rows } = await owner.query<{ id: string; state: TaskState }>(
    'select id, state from killdrill.task where namespace = $1 order by id',
    [namespace],
  );
  return Object.fromEntries(rows.map(({ id, state }) => [id, state]));
}

async function openSweeps(): Promise<number> {
  const { rows } = await owner.query('select from killdrill.sweep where namespace = $1 and done_at is null', [
    namespace,
  ]);
  return rows.length;
}

/** Sweeps until nothing is left; answers how many tasks were changed. */
async function sweepAll(limit = 1_000): Promise<number> {
  let [swept, answer]: [number, SweepAnswer] = [0, { swept: 0, more: true }];
  while (answer.more) {
    answer = await store.tasks.sweep(limit);
    swept += answer.swept;
  }
  return swept;
}

describe('a claim and a stop', () => {
  test('that is not yet durable: the claim waits, and parks what the stop covers', async () => {
    await enqueue('t');
    await begin(first);
    await flip(first, namespace, park('a'));
    const claiming = store.tasks.claim('me', 1, CLAIM_MS);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await claiming).toEqual([]);
    expect(await states()).toEqual({ t: 'parked' });
  });

  test('that comes while the claim is not yet committed: the stop waits, and the task was claimed before it', async () => {
    await enqueue('t');
    await begin(first);
    const [claimed] = await call<{ token: string }[]>(first, 'claim', namespace, 'me', 1, CLAIM_MS);
    const stopping = flip(second, namespace, discard('a'));
    await untilWaiting(owner, 1);
    await first.query('commit');
    await stopping;
    expect(await sweepAll()).toBe(0);
    expect(await states()).toEqual({ t: 'running' });
    expect(await store.tasks.giveBack({ task: 't', token: claimed?.token ?? '' })).toBe(true);
    expect(await states()).toEqual({ t: 'discarded' });
  });

  test('whose client is killed: nothing was claimed, and the task is there for the next', async () => {
    await enqueue('t');
    await begin(first);
    await call(first, 'claim', namespace, 'me', 1, CLAIM_MS);
    expect(await store.tasks.claim('they', 1, CLAIM_MS)).toEqual([]);
    await owner.query('select pg_terminate_backend($1, 10000)', [await pidOf(first)]);
    expect(await store.tasks.claim('they', 1, CLAIM_MS)).toMatchObject([{ id: 't', attempts: 0 }]);
  });
});

describe('a sweep and a release', () => {
  test('that is not yet durable: the sweep waits, and parks nothing', async () => {
    await enqueue('t');
    await store.control.flip(park('a'), null);
    await begin(first);
    await flip(first, namespace, release('a'));
    const sweeping = store.tasks.sweep(10);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await sweeping).toEqual({ swept: 0, more: true });
    expect(await states()).toEqual({ t: 'queued' });
    expect(await sweepAll()).toBe(0);
    expect(await openSweeps()).toBe(0);
  });

  test('that comes while the sweep is not yet committed: what it parks comes back, once', async () => {
    await enqueue('t');
    await store.control.flip(park('a'), null);
    await begin(first);
    expect(await call(first, 'sweep', namespace, 10)).toEqual({ swept: 1, more: false });
    const releasing = flip(second, namespace, release('a'));
    await untilWaiting(owner, 1);
    await first.query('commit');
    await releasing;
    expect(await states()).toEqual({ t: 'parked' });
    expect(await sweepAll()).toBe(1);
    expect(await states()).toEqual({ t: 'queued' });
  });

  test('with another stop behind it: what was parked stays parked', async () => {
    await enqueue('t');
    await store.control.flip(park('a'), null);
    await sweepAll();
    await store.control.flip(park('b'), null);
    await store.control.flip(release('a'), null);
    expect(await sweepAll()).toBe(0);
    expect(await states()).toEqual({ t: 'parked' });
  });

  test('that comes before the sweep of a discarding stop has begun: what was queued is discarded all the same', async () => {
    await enqueue('t');
    await store.control.flip(discard('a'), null);
    await store.control.flip(release('a'), null);
    await enqueue('later');
    expect(await sweepAll()).toBe(1);
    expect(await states()).toEqual({ later: 'queued', t: 'discarded' });
  });
});

describe('two sweeps', () => {
  test('at once do not get into each other: the second finds the first at work', async () => {
    await enqueue('t1', 't2');
    await store.control.flip(park('a'), null);
    await begin(first);
    expect(await call(first, 'sweep', namespace, 10)).toMatchObject({ swept: 2 });
    expect(await store.tasks.sweep(10)).toEqual({ swept: 0, more: false });
    await first.query('commit');
    expect(await sweepAll()).toBe(0);
    expect(await openSweeps()).toBe(0);
  });

  test('of two stops: the later one is not done while a task that it covers is in the hands of the earlier', async () => {
    await enqueue('t1', 't2', 't3');
    await store.control.flip(park('a'), null);
    await store.control.flip(stopText(namespace, { id: 'b', queue: 'park', scope: 'tenant', target: 'acme' }), null);
    await begin(first);
    expect(await call(first, 'sweep', namespace, 2)).toMatchObject({ swept: 2 });
    expect(await store.tasks.sweep(10)).toEqual({ swept: 1, more: true });
    expect(await store.tasks.sweep(10)).toEqual({ swept: 0, more: false });
    expect(await openSweeps()).toBe(2);
    await first.query('rollback');
    expect(await sweepAll()).toBe(2);
    expect(await states()).toEqual({ t1: 'parked', t2: 'parked', t3: 'parked' });
    expect(await openSweeps()).toBe(0);
  });

  test('whose backend is terminated half-way: another process ends what it began, and nothing is swept twice', async () => {
    const ids = Array.from({ length: 300 }, (_, index) => `t-${index}`);
    await enqueue(...ids);
    await store.control.flip(park('a'), null);
    expect(await store.tasks.sweep(100)).toEqual({ swept: 100, more: true });
    await begin(first);
    expect(await call(first, 'sweep', namespace, 100)).toEqual({ swept: 100, more: true });
    await owner.query('select pg_terminate_backend($1, 10000)', [await pidOf(first)]);
    expect(await sweepAll(100)).toBe(200);
    expect(new Set(Object.values(await states()))).toEqual(new Set(['parked']));
    const { rows } = await owner.query('select swept::int, done_at from killdrill.sweep where namespace = $1', [
      namespace,
    ]);
    expect(rows).toEqual([{ swept: 300, done_at: expect.any(Date) }]);
  });
});

describe('a sweep and a claim', () => {
  test('that holds a task and comes to nothing: the sweep waits for nobody, and passes no task over', async () => {
    await enqueue('t1', 't2', 't3');
    await store.control.flip(park('a'), null);
    await begin(first);
    // Of the three it parks the oldest only, since it looks at no more than it wants.
    await call(first, 'claim', namespace, 'me', 1, CLAIM_MS);
    const { rows } = await first.query<{ id: string }>(
      `select id from killdrill.task where namespace = $1 and state = 'parked' order by id`,
      [namespace],
    );
    expect(rows.length).toBeGreaterThan(0);
    const swept = await sweepAll();
    expect(swept).toBe(3 - rows.length);
    expect(await openSweeps()).toBe(1);
    await first.query('rollback');
    expect(await sweepAll()).toBe(rows.length);
    expect(await states()).toEqual({ t1: 'parked', t2: 'parked', t3: 'parked' });
    expect(await openSweeps()).toBe(0);
  });

  test('of another process at once: each task is settled by one of them', async () => {
    await enqueue(...Array.from({ length: 200 }, (_, index) => `t-${index}`));
    await store.control.flip(discard('a'), null);
    const other = database.open(namespace);
    try {
      const [swept, claimed] = await Promise.all([
        sweepAll(20),
        Promise.all(Array.from({ length: 20 }, () => other.tasks.claim('they', 5, CLAIM_MS))),
      ]);
      expect(claimed.flat()).toEqual([]);
      expect(swept).toBeLessThanOrEqual(200);
    } finally {
      await other.close();
    }
    await sweepAll();
    expect(new Set(Object.values(await states()))).toEqual(new Set(['discarded']));
    expect(await openSweeps()).toBe(0);
  });
});

describe('the last word of a claimant whose run was stopped', () => {
  let claim: ClaimToken;

  beforeEach(async () => {
    await enqueue('t');
    claim = await claimOne();
  });

  test('waits for a release that is not yet durable: the task is queued', async () => {
    await store.control.flip(park('a'), null);
    await begin(first);
    await flip(first, namespace, release('a'));
    const halting = store.tasks.halted(claim, 'a');
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await halting).toBe('queued');
  });

  test('makes a release wait: the task is parked, and that release brings it back', async () => {
    await store.control.flip(park('a'), null);
    await begin(first);
    expect(await call(first, 'halted', namespace, claim.task, claim.token, 'a')).toBe('parked');
    const releasing = flip(second, namespace, release('a'));
    await untilWaiting(owner, 1);
    await first.query('commit');
    await releasing;
    await sweepAll();
    expect(await states()).toEqual({ t: 'queued' });
  });

  test('waits for a batch under its claim: an effect that is open makes the task unknown', async () => {
    await begin(first);
    await admit(first, namespace, start, namespace, [sampleIntent(1, { claim })]);
    const halting = store.tasks.halted(claim, null);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await halting).toBe('unknown');
  });

  test('is not heard twice, nor from somebody else', async () => {
    expect(await store.tasks.halted({ ...claim, token: 'junk' }, 'a')).toBeNull();
    expect(await store.tasks.halted({ ...claim, task: 'other' }, 'a')).toBeNull();
    expect(await store.tasks.halted(claim, 'no such engagement')).toBe('queued');
    expect(await store.tasks.halted(claim, 'a')).toBeNull();
  });
});

describe('a retry', () => {
  let claim: ClaimToken;

  beforeEach(async () => {
    await enqueue('t');
    claim = await claimOne();
  });

  test('waits for a discarding stop that is not yet durable, and is discarded', async () => {
    await begin(first);
    await flip(first, namespace, discard('a'));
    const retrying = store.tasks.retry(claim, 0);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await retrying).toBe('discarded');
  });

  test('that is not yet committed makes a discarding stop wait, and is swept after it', async () => {
    await begin(first);
    expect(await call(first, 'retry', namespace, claim.task, claim.token, 60_000)).toBe('queued');
    const stopping = flip(second, namespace, discard('a'));
    await untilWaiting(owner, 1);
    await first.query('commit');
    await stopping;
    expect(await sweepAll()).toBe(1);
    expect(await states()).toEqual({ t: 'discarded' });
  });

  test('is refused a delay that is no number', async () => {
    for (const delayMs of [Number.NaN, Number.POSITIVE_INFINITY, 1e300])
      await expect(store.tasks.retry(claim, delayMs)).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) });
    expect(await states()).toEqual({ t: 'running' });
  });
});

test('a claim that is prolonged while it is being handed on is no longer the old claimant’s', async () => {
  await enqueue('t');
  const [old] = await store.tasks.claim('me', 1, 0);
  await begin(first);
  await call(first, 'claim', namespace, 'they', 1, CLAIM_MS);
  const extending = store.tasks.extend([{ task: 't', token: old?.token ?? '' }], CLAIM_MS);
  await untilWaiting(owner, 1);
  await first.query('commit');
  expect(await extending).toEqual([]);
});

test('looks at 500 tasks under one lock, so that a stop waits for no queue, and says when more may lie behind', async () => {
  await enqueue(...Array.from({ length: 600 }, (_, index) => `old-${index}`));
  await store.control.flip(stopText(namespace, { scope: 'tenant', target: 'acme', queue: 'park' }), null);
  const { head } = await store.flips.load();
  await store.fence.enqueue(head, [sampleTask('new', { tenant: 'b' })]);
  expect(await call(first, 'claim', namespace, 'me', 1, CLAIM_MS)).toBeNull();
  const parked = Object.values(await states()).filter((state) => state === 'parked');
  expect(parked).toHaveLength(500);
  expect(await store.tasks.claim('me', 1, CLAIM_MS)).toMatchObject([{ id: 'new' }]);
});
