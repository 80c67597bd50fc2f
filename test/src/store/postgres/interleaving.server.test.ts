import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Head, Intent } from '../../../../src/store/store.ts';
import type { StoreHandles } from '../contract/world.ts';
import { releaseText, sampleIntent, sampleTask, stopText } from '../samples.ts';
import { sessionsEach } from './namespace-each.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { admit, begin, flip, oneAnswer, pidOf, untilWaiting } from './statements.ts';

let database: PreparedDatabase;
let owner: pg.Client;
/** Two sessions whose transactions a test holds open. */
let first: pg.Client;
let second: pg.Client;
let namespace: string;
let store: StoreHandles;
let start: Head;

sessionsEach((ground) => ({ database, owner, first, second, namespace, store, start } = ground));

/** Of each intent the last revision that it comes after, by the store's order. */
async function orderOfIntents(incarnation: string): Promise<ReadonlyMap<number, number>> {
  const { rows } = await owner.query<{ seq: string; after: string }>(
    `select i.seq, coalesce(max(f.revision) filter (where not pg_visible_in_snapshot(i.xid, f.snapshot)), 0) as after
     from killdrill.intent i left join killdrill.flip f on f.namespace = i.namespace
     where i.incarnation = $1 group by i.seq`,
    [incarnation],
  );
  return new Map(rows.map(({ seq, after }) => [Number(seq), Number(after)]));
}

describe('a flip and a batch', () => {
  test('that is let in and not yet committed wait for each other: the batch is before the stop', async () => {
    await begin(first);
    expect(await admit(first, namespace, start, namespace, [sampleIntent(1)])).toMatchObject({ kind: 'admitted' });
    const stopping = flip(second, namespace, stopText(namespace));
    await untilWaiting(owner, 1);
    await first.query('commit');
    await stopping;
    expect(await orderOfIntents(namespace)).toEqual(new Map([[1, 0]]));
  });

  test('that comes while a stop is not yet committed: the batch waits, and nothing of it is let in', async () => {
    await begin(first);
    const { record } = await flip(first, namespace, stopText(namespace));
    const batch = admit(second, namespace, start, namespace, [sampleIntent(1)]);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await batch).toMatchObject({ kind: 'stale', flips: [record] });
    expect(await orderOfIntents(namespace)).toEqual(new Map());
  });

  test('that comes while a stop is undone: the batch waits, and is let in', async () => {
    await begin(first);
    await flip(first, namespace, stopText(namespace));
    const batch = admit(second, namespace, start, namespace, [sampleIntent(1)]);
    await untilWaiting(owner, 1);
    await first.query('rollback');
    expect(await batch).toMatchObject({ kind: 'admitted', head: start });
  });

  test('that waits in the queue behind a waiting stop is after it', async () => {
    const third = await database.connect(database.ownerUrl);
    await begin(first);
    await admit(first, namespace, start, namespace, [sampleIntent(1)]);
    const stopping = flip(second, namespace, stopText(namespace));
    await untilWaiting(owner, 1);
    const late = admit(third, namespace, start, namespace, [sampleIntent(2)]);
    await untilWaiting(owner, 2);
    await first.query('commit');
    await stopping;
    expect(await late).toMatchObject({ kind: 'stale' });
    expect(await orderOfIntents(namespace)).toEqual(new Map([[1, 0]]));
  });

  test("in a crowd: each intent is where the answer to its batch said, by the store's own order", async () => {
    const workers = Array.from({ length: 4 }, () => database.open(namespace));
    const said = new Map<string, number>();
    let over = false;
    const work = async ({ fence }: StoreHandles, name: string): Promise<void> => {
      let head = start;
      for (let seq = 1; !over; seq += 2) {
        const answer = await fence.admitIntents(name, head, [sampleIntent(seq), sampleIntent(seq + 1)]);
        head = answer.head;
        if (answer.kind !== 'admitted') continue;
        said.set(`${name} ${seq}`, answer.head.revision).set(`${name} ${seq + 1}`, answer.head.revision);
      }
    };
    const working = Promise.all(workers.map((worker, index) => work(worker, `${namespace}-${index}`)));
    for (let round = 0; round < 30; round += 1) {
      const id = randomUUID();
      const texts = [stopText(namespace, { id }), stopText(namespace)];
      await Promise.all(texts.map(async (text, index) => workers[index]?.control.flip(text, null)));
      await store.control.flip(releaseText(namespace, [id]), null);
    }
    over = true;
    await working;
    await Promise.all(workers.map((worker) => worker.close()));
    expect(said.size).toBeGreaterThan(100);
    for (const [index] of workers.entries()) {
      const name = `${namespace}-${index}`;
      for (const [seq, after] of await orderOfIntents(name))
        expect([name, seq, after]).toEqual([name, seq, said.get(`${name} ${seq}`)]);
    }
    const { rows } = await owner.query('select revision from killdrill.flip where namespace = $1 order by revision', [
      namespace,
    ]);
    expect(rows.map(({ revision }) => Number(revision))).toEqual(Array.from({ length: 90 }, (_, index) => index + 1));
  });
});

describe('two flips', () => {
  test('at once take turns, and a reader never sees the second without the first', async () => {
    await begin(first);
    await flip(first, namespace, stopText(namespace, { id: 'one' }));
    const other = flip(second, namespace, stopText(namespace, { id: 'two' }));
    await untilWaiting(owner, 1);
    expect(await store.flips.flipsAfter(start)).toMatchObject({ flips: [] });
    await first.query('commit');
    expect((await other).record.revision).toBe(2);
    expect((await store.flips.load()).open.map(({ revision }) => revision)).toEqual([1, 2]);
  });

  test('leave no gap when the first is undone', async () => {
    await begin(first);
    await flip(first, namespace, stopText(namespace));
    const other = flip(second, namespace, stopText(namespace));
    await untilWaiting(owner, 1);
    await first.query('rollback');
    expect((await other).record.revision).toBe(1);
  });

  test('with the same id and text are one', async () => {
    const text = stopText(namespace, { id: 'same' });
    await begin(first);
    const { record } = await flip(first, namespace, text);
    const other = flip(second, namespace, text);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect((await other).record).toEqual(record);
    expect((await store.flips.load()).head.revision).toBe(1);
  });

  test('that release the same engagement: the second is refused', async () => {
    await store.control.flip(stopText(namespace, { id: 'a' }), null);
    await begin(first);
    await flip(first, namespace, releaseText(namespace, ['a']));
    const other = flip(second, namespace, releaseText(namespace, ['a']));
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await other).toMatchObject({ refused: { code: 'ENGAGEMENT_NOT_OPEN' } });
    expect((await store.flips.load()).head.revision).toBe(2);
  });
});

describe('whoever holds up a stop', () => {
  test('as a worker whose client stalls is terminated, its batch is undone and the stop is taken', async () => {
    const stalled = await database.connect(database.workerUrl);
    await begin(stalled);
    await admit(stalled, namespace, start, namespace, [sampleIntent(1)]);
    const ended = new Promise((resolve) => stalled.once('end', resolve));
    const { record } = await store.control.flip(stopText(namespace), null);
    expect(record.revision).toBe(1);
    await ended;
    await expect(stalled.query('commit')).rejects.toThrow();
    expect(await orderOfIntents(namespace)).toEqual(new Map());
  });

  test('as another flip is left alone, and this one is refused in the end', async () => {
    const otherFlip = await database.connect(database.flipperUrl);
    await begin(otherFlip);
    const pid = await pidOf(otherFlip);
    await otherFlip.query('select pg_advisory_xact_lock(killdrill.fence_key($1))', [namespace]);
    const impatient = database.open(namespace, { lockMs: 5 });
    await expect(impatient.control.flip(stopText(namespace), null)).rejects.toMatchObject({ code: 'STORE_BUSY' });
    await impatient.close();
    expect(await pidOf(otherFlip)).toBe(pid);
    await otherFlip.query('commit');
    expect(await store.control.flip(stopText(namespace), null)).toMatchObject({ record: { revision: 1 } });
  });

  test('as a worker of another namespace is not touched', async () => {
    const elsewhere = `ns-${randomUUID()}`;
    await database.addNamespace(elsewhere);
    const other = database.open(elsewhere);
    const { head } = await other.flips.load();
    await other.close();
    const [here, there] = [await database.connect(database.workerUrl), await database.connect(database.workerUrl)];
    await begin(here);
    await admit(here, namespace, start, namespace, [sampleIntent(1)]);
    await begin(there);
    await admit(there, elsewhere, head, elsewhere, [sampleIntent(1)]);
    await store.control.flip(stopText(namespace), null);
    await expect(here.query('commit')).rejects.toThrow();
    await there.query('commit');
    expect(await orderOfIntents(elsewhere)).toEqual(new Map([[1, 0]]));
  });
});

describe('a claim and a batch that shows it', () => {
  let claim: { readonly task: string; readonly token: string };
  const shown = (seq: number): Intent => sampleIntent(seq, { claim });
  const state = async (): Promise<string> =>
    oneAnswer(owner, `select state as answer from killdrill.task where namespace = $1 and id = 't'`, [namespace]);

  beforeEach(async () => {
    await store.fence.enqueue(start, [sampleTask('t')]);
    const [task] = await store.tasks.claim('me', 1, 0);
    claim = { task: 't', token: task?.token ?? '' };
  });

  test('a task is not handed on while an intent under its claim is being let in, and is unknown afterwards', async () => {
    await begin(first);
    expect(await admit(first, namespace, start, namespace, [shown(1)])).toMatchObject({ disowned: [] });
    expect(await store.tasks.claim('they', 1, 1000)).toEqual([]);
    await first.query('commit');
    expect(await store.tasks.claim('they', 1, 1000)).toEqual([]);
    expect(await state()).toBe('unknown');
  });

  test('an intent is disowned, without waiting, while its task is being handed on', async () => {
    await begin(first);
    await oneAnswer(first, `select killdrill.claim($1, 'they', 1, 1000) as answer`, [namespace]);
    expect(await admit(second, namespace, start, namespace, [shown(1), sampleIntent(2)])).toMatchObject({
      kind: 'admitted',
      disowned: [1],
    });
    await first.query('commit');
    expect(await state()).toBe('running');
  });

  test('a task is given back only after the batch that shows its claim, and the next batch is disowned', async () => {
    await begin(first);
    await admit(first, namespace, start, namespace, [shown(1)]);
    const givingBack = store.tasks.giveBack(claim);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await givingBack).toBe(true);
    expect(await admit(first, namespace, start, namespace, [shown(2)])).toMatchObject({ disowned: [2] });
  });

  test('a claim waits for a stop that is not yet committed, and then discards', async () => {
    await begin(first);
    await flip(first, namespace, stopText(namespace, { queue: 'discard' }));
    const claiming = store.tasks.claim('they', 1, 1000);
    await untilWaiting(owner, 1);
    await first.query('commit');
    expect(await claiming).toEqual([]);
    expect(await state()).toBe('discarded');
  });
});

describe('a transaction', () => {
  const calls: readonly (readonly [name: string, args: () => unknown[]])[] = [
    ['flip', () => [namespace, stopText(namespace), null]],
    ['relay', () => [namespace, stopText(namespace), null]],
    ['load', () => [namespace]],
    ['flips_after', () => [namespace, start.epoch, 0, '']],
    ['open_engagements', () => [namespace]],
    ['admit_intents', () => [namespace, 0, start.epoch, 0, '', namespace, ...Array.from({ length: 12 }, () => '{}')]],
    ['enqueue', () => [namespace, 0, start.epoch, 0, '', ...Array.from({ length: 13 }, () => '{}')]],
    ['claim', () => [namespace, 'me', 1, 1]],
    ['extend', () => [namespace, '{}', '{}', 1]],
    ['finish', () => [namespace, 't', 'x', 'done']],
    ['halted', () => [namespace, 't', 'x', null]],
    ['retry', () => [namespace, 't', 'x', 1]],
    ['give_back', () => [namespace, 't', 'x']],
    ['sweep', () => [namespace, 1]],
    ['counts', () => [namespace]],
    ['record_outcomes', () => [namespace, 'me', '{}', '{}', '{}']],
  ];

  test.each(calls)('that is not READ COMMITTED is refused by %s', async (name, args) => {
    for (const isolation of ['repeatable read', 'serializable']) {
      await begin(first, isolation);
      const places = args().map((_, index) => `$${index + 1}`);
      await expect(first.query(`select killdrill.${name}(${places.join(', ')})`, args())).rejects.toMatchObject({
        detail: 'ISOLATION_LEVEL',
      });
      await first.query('rollback');
    }
  });

  test('that flips is committed to the disk, whatever the session asked for', async () => {
    await begin(first);
    await first.query('set synchronous_commit = off');
    await flip(first, namespace, stopText(namespace));
    expect(await oneAnswer(first, `select current_setting('synchronous_commit') as answer`, [])).toBe('on');
    await first.query('commit');
  });
});

test('keeps of an intent what it was given', async () => {
  const lineage = ['"quoted"', 'back\\slash', '{a,b}', '', 'NULL', 'ünï'];
  await store.fence.admitIntents(namespace, start, [
    sampleIntent(7, { lineage, deadlineMs: 12.5 }),
    sampleIntent(8, { tenant: null, access: 'read' }),
  ]);
  const { rows } = await owner.query(
    `select seq::int, namespace, run, tenant, feature, agent, lineage, capability, access, idempotency_key, deadline_ms, task, claim_token
     from killdrill.intent where incarnation = $1 order by seq`,
    [namespace],
  );
  const same = {
    namespace,
    run: 'run-1',
    feature: null,
    agent: 'agent-1',
    capability: 'write/mail',
    task: null,
    claim_token: null,
  };
  expect(rows).toEqual([
    { ...same, seq: 7, tenant: 'acme', lineage, access: 'write', idempotency_key: 'key-7', deadline_ms: 12.5 },
    { ...same, seq: 8, tenant: null, lineage: [], access: 'read', idempotency_key: 'key-8', deadline_ms: 250 },
  ]);
});
