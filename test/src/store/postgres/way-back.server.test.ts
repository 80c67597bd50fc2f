import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { compensate } from '../../../../src/control/compensate.ts';
import { release } from '../../../../src/control/release.ts';
import { openOperatorStore } from '../../../../src/store/postgres/operator-store.ts';
import type { NewTask, OperatorStore, OutcomeKind, RunContract } from '../../../../src/store/store.ts';
import { Fate } from '../../fate.ts';
import { WAIT } from '../contract/world.ts';
import type { StoreHandles } from '../contract/world.ts';
import { releaseText, sampleIntent, stopText } from '../samples.ts';
import { namespaceEach } from './namespace-each.ts';
import { PATIENT } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { begin, flip, oneAnswer, untilWaiting } from './statements.ts';

const ASKER = { by: 'op "the" \'one\'\nwith; drop table task; --', reason: 'rolled back, =1+1' };
const CONTRACT: RunContract = { model: 'm-1', prompt: 'p-1', tools: { mail: '1.0', crm: '2' } };
let database: PreparedDatabase;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;
let operator: OperatorStore;

namespaceEach((ground) => {
  ({ database, owner, namespace, store } = ground);
  ({ operator } = store);
});

interface Action {
  readonly kind: string;
  readonly asked_by: string;
  readonly reason: string;
  readonly request: string;
  readonly answer: Record<string, unknown> | null;
  readonly refusal_code: string | null;
  readonly refusal: string | null;
}

async function actions(kind?: string): Promise<readonly Action[]> {
  const { rows } = await owner.query<Action>(
    'select * from killdrill.operator_action where namespace = $1 and kind = coalesce($2, kind) order by id',
    [namespace, kind ?? null],
  );
  return rows;
}

async function stop(parts: Parameters<typeof stopText>[1] = {}): Promise<string> {
  const id = randomUUID();
  await store.control.flip(stopText(namespace, { id, ...parts }), null);
  return id;
}

function task(id: string, parts: Partial<NewTask> = {}): NewTask {
  return {
    ...{ id, kind: 'run', run: id, tenant: 'acme', feature: 'support', agent: 'agent-1', lineage: [] },
    ...{ capability: null, plan: [], due: { kind: 'now' }, pastDue: 'fire', repeat: null },
    ...parts,
  };
}

async function enqueue(...tasks: readonly NewTask[]): Promise<void> {
  const { head } = await store.flips.load();
  expect(await store.fence.enqueue(head, tasks)).toMatchObject({ kind: 'admitted' });
}

async function sweepAll(): Promise<void> {
  while ((await store.tasks.sweep(1_000)).more);
}

async function states(): Promise<Readonly<Record<string, string>>> {
  const { rows } = await owner.query<{ id: string; state: string }>(
    'select id, state from killdrill.task where namespace = $1 order by id',
    [namespace],
  );
  return Object.fromEntries(rows.map(({ id, state }) => [id, state]));
}

/** Discards these by a stop that is closed again. */
async function discarded(...tasks: readonly NewTask[]): Promise<void> {
  await enqueue(...tasks);
  const id = await stop();
  await sweepAll();
  await store.control.flip(releaseText(namespace, [id]), null);
  await sweepAll();
  for (const { id: one } of tasks) expect((await states())[one]).toBe('discarded');
}

describe('a run contract', () => {
  test('makes a release red while it is the one at the stop, whatever the order of its fields', async () => {
    await operator.declareContract(CONTRACT, ASKER);
    const id = await stop();
    await operator.declareContract({ tools: { crm: '2', mail: '1.0' }, prompt: 'p-1', model: 'm-1' }, ASKER);
    expect(await operator.redReasons([id, 'nobody'])).toEqual([
      { engagement: id, reason: expect.stringMatching(/model "m-1", prompt "p-1", tools crm 2, mail 1.0/) },
    ]);
    await expect(store.control.flip(releaseText(namespace, [id]), null)).rejects.toMatchObject({
      code: 'RELEASE_NOT_GREEN',
      message: expect.stringMatching(new RegExp(`'${id}'.*model "m-1".*declare the contract that runs now`)) as string,
    });
    expect(await store.control.openEngagements()).toHaveLength(1);
    await operator.declareContract({ ...CONTRACT, prompt: 'p-2' }, ASKER);
    expect(await operator.redReasons([id])).toEqual([]);
    expect(await store.control.flip(releaseText(namespace, [id]), null)).toMatchObject({ record: { revision: 2 } });
  });

  test('that nobody had declared at the stop leaves the release green', async () => {
    const id = await stop();
    await operator.declareContract(CONTRACT, ASKER);
    expect(await operator.redReasons([id])).toEqual([]);
    await store.control.flip(releaseText(namespace, [id]), null);
  });

  test('that is red is released with a reason, which goes on record; white space is none', async () => {
    await operator.declareContract(CONTRACT, ASKER);
    const id = await stop();
    const text = releaseText(namespace, [id]);
    await expect(store.control.flip(text, null, { evenIfRed: ' \n' })).rejects.toMatchObject({
      code: 'RELEASE_NOT_GREEN',
    });
    expect(await store.control.flip(text, null, { evenIfRed: 'the customer insists' })).toMatchObject({
      record: { revision: 2, text },
    });
    expect(await actions('release')).toMatchObject([
      { asked_by: 'operator', request: text, answer: null, refusal_code: 'RELEASE_NOT_GREEN' },
      {
        reason: 'the customer insists',
        request: text,
        answer: { revision: 2, red: [{ engagement: id }] },
        refusal: null,
      },
    ]);
  });

  test('is declared as a whole or not at all, and the refusal is on record', async () => {
    const junk: readonly unknown[] = [
      null,
      1,
      'x',
      [],
      {},
      { ...CONTRACT, more: 1 },
      { ...CONTRACT, model: '' },
      { ...CONTRACT, model: 7 },
      { ...CONTRACT, tools: [] },
      { ...CONTRACT, tools: { mail: 1 } },
      { ...CONTRACT, prompt: 'nul \0' },
      { ...CONTRACT, prompt: 'half \ud800' },
    ];
    for (const one of junk) {
      await expect(operator.declareContract(one as RunContract, ASKER), JSON.stringify(one)).rejects.toMatchObject({
        code: 'CONTRACT_INVALID',
      });
    }
    expect(await actions('contract')).toHaveLength(junk.length);
    await expect(operator.declareContract(CONTRACT, { by: '', reason: '' })).rejects.toMatchObject({
      code: 'ASKER_INVALID',
    });
    const id = await stop();
    await store.control.flip(releaseText(namespace, [id]), null);
  });

  test('waits for a flip that is under way, and the flip for it', async () => {
    await operator.declareContract(CONTRACT, ASKER);
    const id = await stop();
    const other = await database.connect(database.flipperUrl);
    await begin(other);
    await oneAnswer(other, 'select killdrill.declare_contract($1, $2, $3, $4) as answer', [
      ...[namespace, JSON.stringify({ ...CONTRACT, prompt: 'p-2' }), 'op', 'mended'],
    ]);
    const third = await database.connect(database.flipperUrl);
    const released = flip(third, namespace, releaseText(namespace, [id]));
    await untilWaiting(owner, 1);
    await other.query('commit');
    expect(await released).toMatchObject({ record: { revision: 2 } });
  });
});

describe('a release', () => {
  test('of an unknown or a closed engagement is refused, named and on record, and closes nothing', async () => {
    const [open, closed] = [await stop(), await stop()];
    await store.control.flip(releaseText(namespace, [closed]), null);
    const parts = { store: store.control, newId: randomUUID };
    const request = { namespace, by: ASKER.by, source: 'test', reason: ASKER.reason };
    await expect(release(parts, { ...request, engagements: [open, closed, "no'body"] })).rejects.toMatchObject({
      code: 'ENGAGEMENT_NOT_OPEN',
      message: expect.stringMatching(/closed at revision 3.*'no''body' \(unknown\)/) as string,
    });
    expect(await actions('release')).toMatchObject([{ asked_by: ASKER.by, refusal_code: 'ENGAGEMENT_NOT_OPEN' }]);
    expect((await store.control.openEngagements()).map(({ flip: { id } }) => id)).toEqual([open]);
    expect(await release(parts, { ...request, engagements: [open, open] })).toMatchObject({
      answer: { record: { revision: 4 } },
      closed: [{ revision: 1 }],
    });
  });

  test('that lost its connection after the refusal was recorded is refused again', async () => {
    const text = releaseText(namespace, ['nobody']);
    for (let time = 1; time <= 2; time += 1) {
      await expect(store.control.flip(text, null)).rejects.toMatchObject({ code: 'ENGAGEMENT_NOT_OPEN' });
    }
    expect(await actions('release')).toHaveLength(2);
    expect((await store.flips.load()).head.revision).toBe(0);
  });
});

describe('what is critical', () => {
  const RULES = {
    capabilities: ['read/crm', 'write/*'],
    classes: [
      { name: 'money', scope: 'feature', target: 'billing' },
      { name: 'mail', scope: 'capability', target: 'webhook/*' },
      { name: 'second', scope: 'tenant', target: 'acme' },
      { name: 'family', scope: 'run', target: "root's" },
    ],
  } as const;

  test('comes with a load, and the newest rules count, also for nothing', async () => {
    expect((await store.flips.load()).critical).toEqual([]);
    await operator.setCritical(RULES, ASKER);
    expect((await store.flips.load()).critical).toEqual(['read/crm', 'write/*']);
    await operator.setCritical({ capabilities: [], classes: [] }, ASKER);
    expect((await store.flips.load()).critical).toEqual([]);
  });

  test('is bound when a task is let in: the first class that covers it, by the store and nobody else', async () => {
    await enqueue(task('before'));
    await operator.setCritical(RULES, ASKER);
    await enqueue(
      task('billing', { feature: 'billing' }),
      task('hook', { tenant: 'other', capability: 'webhook/notify' }),
      task('webhook', { tenant: 'other', capability: 'webhook' }),
      task('acme'),
      task('child', { tenant: null, lineage: ["root's"] }),
      task('none', { tenant: null }),
    );
    const { rows } = await owner.query<{ id: string; class: string | null }>(
      'select id, class from killdrill.task where namespace = $1',
      [namespace],
    );
    expect(Object.fromEntries(rows.map((row) => [row.id, row.class]))).toEqual({
      ...{ before: null, billing: 'money', hook: 'mail', webhook: null, acme: 'second', child: 'family', none: null },
    });
    const claimed = await store.tasks.claim('me', 10, 60_000);
    expect(
      claimed
        .filter(({ critical }) => critical)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([...['acme', 'billing', 'child', 'hook']]);
  });

  test('is refused when it would cover nothing, on record, and what was there stays', async () => {
    await operator.setCritical(RULES, ASKER);
    const junk: readonly unknown[] = [
      ...[null, {}, { capabilities: 'x', classes: [] }, { capabilities: [], classes: {} }],
      ...['', '*', 'write/*/x', '/x', '/*', 7].map((capability) => ({ capabilities: [capability], classes: [] })),
      ...[
        { name: '', scope: 'tenant', target: 'x' },
        { name: 'a', scope: 'tenannt', target: 'x' },
        { name: 'a', scope: 'global', target: 'x' },
        { name: 'a', scope: 'capability', target: '*' },
        { name: 'a', scope: 'tenant', target: '' },
        { name: 'a', scope: 'tenant' },
        { name: 'a', scope: 'tenant', target: 'x', more: 1 },
      ].map((one) => ({ capabilities: [], classes: [one] })),
    ];
    for (const one of junk) {
      await expect(operator.setCritical(one as never, ASKER), JSON.stringify(one)).rejects.toMatchObject({
        code: 'CRITICAL_RULES_INVALID',
      });
    }
    expect(await actions('critical')).toHaveLength(junk.length + 1);
    expect((await store.flips.load()).critical).toEqual(RULES.capabilities);
  });
});

describe('a resume', () => {
  const AT_ONCE = { kind: 'at-once' } as const;

  test('brings back what was discarded under a new stamp, which the old stop dooms no more', async () => {
    await discarded(task('a'), task('b', { tenant: 'other' }), task('c', { kind: 'webhook', run: 'a' }));
    expect(await operator.resume({ kind: 'runs', runs: ['a'] }, AT_ONCE, ASKER)).toMatchObject({
      ...{ tasks: 2, runs: ['a'], parked: 0 },
    });
    expect(await states()).toEqual({ a: 'queued', b: 'discarded', c: 'queued' });
    const claimed = await store.tasks.claim('me', 10, 60_000);
    expect(claimed.map(({ id, admittedRevision }) => [id, admittedRevision])).toEqual([
      ['a', 2],
      ['c', 2],
    ]);
    expect(await operator.resume({ kind: 'tenant', tenant: 'other' }, AT_ONCE, ASKER)).toMatchObject({ tasks: 1 });
    expect(await operator.resume({ kind: 'all' }, AT_ONCE, ASKER)).toMatchObject({
      tasks: 0,
      runs: [],
      lastDueInMs: 0,
    });
    expect(await actions('resume')).toMatchObject([
      { asked_by: ASKER.by, reason: ASKER.reason, answer: { tasks: 2 } },
      { answer: { tasks: 1 } },
      { answer: { tasks: 0 } },
    ]);
  });

  test('of a run that was never stopped, or that nobody knows, is refused, named and on record, and resumes nothing', async () => {
    await discarded(task('stopped'));
    await enqueue(task('waits'), task("o'done\n"));
    await stop({ queue: 'park' });
    await sweepAll();
    const runs = ['stopped', 'waits', "o'done\n", 'nobody\0', '; drop table task'];
    await expect(operator.resume({ kind: 'runs', runs }, AT_ONCE, ASKER)).rejects.toMatchObject({
      code: 'RUN_NOT_STOPPED',
      message: expect.stringMatching(/'waits' \(parked\)/) as string,
    });
    expect((await states())['stopped']).toBe('discarded');
    expect(await actions('resume')).toMatchObject([{ refusal_code: 'RUN_NOT_STOPPED', answer: null }]);
    const many = Array.from({ length: 500 }, (_, i) => `unknown-${i}`);
    await expect(operator.resume({ kind: 'runs', runs: many }, AT_ONCE, ASKER)).rejects.toMatchObject({
      message: expect.stringMatching(/and 480 more; name only/) as string,
    });
  });

  test('that says nothing sensible is refused and on record', async () => {
    await discarded(task('a'));
    const all = { kind: 'all' };
    const junk: readonly (readonly [which: unknown, staging: unknown])[] = [
      ...[null, {}, { kind: 'some' }, { kind: 'runs' }, { kind: 'runs', runs: [] }, { kind: 'runs', runs: [1] }].map(
        (which) => [which, AT_ONCE] as const,
      ),
      [{ kind: 'tenant' }, AT_ONCE],
      ...[null, {}, { kind: 'slowly' }, { kind: 'rate' }, { kind: 'tenants', everyMs: -1 }].map(
        (s) => [all, s] as const,
      ),
      ...[0, -1, Number.NaN, Infinity, 1e9, '5'].map((n) => [all, { kind: 'rate', tasksPerSecond: n }] as const),
    ];
    for (const [which, staging] of junk) {
      await expect(
        operator.resume(which as never, staging as never, ASKER),
        JSON.stringify([which, staging]),
      ).rejects.toMatchObject({ code: 'RESUME_INVALID' });
    }
    expect(await actions('resume')).toHaveLength(junk.length);
    expect(await states()).toEqual({ a: 'discarded' });
  });

  test('under a stop that is still open comes back parked, and goes on at its release', async () => {
    await enqueue(task('a'), task('b', { tenant: 'other' }));
    const one = await stop();
    await sweepAll();
    const two = await stop({ scope: 'tenant', target: 'acme', queue: 'park' });
    await store.control.flip(releaseText(namespace, [one]), null);
    await sweepAll();
    expect(await operator.resume({ kind: 'all' }, AT_ONCE, ASKER)).toMatchObject({ tasks: 2, parked: 1 });
    expect(await states()).toEqual({ a: 'parked', b: 'queued' });
    await store.control.flip(releaseText(namespace, [two]), null);
    await sweepAll();
    expect(await states()).toEqual({ a: 'queued', b: 'queued' });
  });

  test('is held again by a stop that comes later', async () => {
    await discarded(task('a'));
    await operator.resume({ kind: 'all' }, AT_ONCE, ASKER);
    await stop();
    expect(await store.tasks.claim('me', 10, 60_000)).toEqual([]);
    expect(await states()).toEqual({ a: 'discarded' });
  });

  test('brings back an unknown task only by the name of its run', async () => {
    await enqueue(task('a'));
    const [claimed] = await store.tasks.claim('me', 1, 60_000);
    await store.tasks.finish({ task: 'a', token: claimed?.token ?? '' }, 'unknown');
    expect(await operator.resume({ kind: 'all' }, AT_ONCE, ASKER)).toMatchObject({ tasks: 0 });
    expect(await operator.resume({ kind: 'runs', runs: ['a'] }, AT_ONCE, ASKER)).toMatchObject({ tasks: 1 });
    expect(await states()).toEqual({ a: 'queued' });
  });

  test('writes its rate into the due times, also across batches, and never draws a later one nearer', async () => {
    const tasks = Array.from({ length: 2_500 }, (_, i) => task(`t-${String(i).padStart(4, '0')}`));
    await enqueue(...tasks);
    await enqueue(task('later', { kind: 'timer', due: { kind: 'in', ms: 3_600_000 } }));
    await stop();
    await sweepAll();
    const open = (await store.control.openEngagements()).map(({ flip: { id } }) => id);
    await store.control.flip(releaseText(namespace, open), null);
    const answer = await operator.resume({ kind: 'all' }, { kind: 'rate', tasksPerSecond: 100 }, ASKER);
    expect(answer).toMatchObject({ tasks: 2_501, parked: 0 });
    expect(answer.lastDueInMs).toBeGreaterThan(3_500_000);
    const { rows } = await owner.query<{ id: string; gap_ms: number }>(
      `select id, (extract(epoch from due_at - lag(due_at) over (order by due_at)) * 1000)::float8 as gap_ms
       from killdrill.task where namespace = $1 order by due_at`,
      [namespace],
    );
    expect(rows.map(({ id }) => id)).toEqual([...tasks.map(({ id }) => id), 'later']);
    for (const { id, gap_ms } of rows.slice(1, -1)) expect(gap_ms, id).toBeCloseTo(10, 1);
    expect(await actions('resume')).toHaveLength(11);
  }, 60_000);

  test('by tenant lets one after another go on, and a tenant of two batches is one', async () => {
    const sizes = { acme: 700, beta: 1_600, 'co\'re "x"': 5 };
    await enqueue(
      ...Object.entries(sizes).flatMap(([tenant, size]) =>
        Array.from({ length: size }, (_, i) => task(`${tenant}-${i}`, { tenant })),
      ),
    );
    const id = await stop();
    await sweepAll();
    await store.control.flip(releaseText(namespace, [id]), null);
    await operator.resume({ kind: 'all' }, { kind: 'tenants', everyMs: 5_000 }, ASKER);
    const { rows } = await owner.query<{ tenant: string; due: number; dues: number }>(
      `select tenant, (extract(epoch from min(due_at) - min(min(due_at)) over ()))::float8 as due,
       (extract(epoch from max(due_at) - min(due_at)))::float8 as dues
       from killdrill.task where namespace = $1 group by tenant order by 2`,
      [namespace],
    );
    expect(rows.map(({ tenant }) => tenant)).toEqual(Object.keys(sizes));
    // The first were due long ago in any case; what is resumed is due no sooner than the resume.
    expect(rows.map(({ due }) => due)).toEqual([0, 5, 10].map((at) => expect.closeTo(at, 3)));
    expect(rows.map(({ dues }) => dues)).toEqual([0, 0, 0]);
  }, 60_000);

  test('that is overtaken by a stop between two batches leaves the rest discarded', async () => {
    await discarded(...Array.from({ length: 5 }, (_, i) => task(`t-${i}`)));
    const asked = (progress: string | null) =>
      oneAnswer<{ progress: object; tasks: number; more: boolean }>(
        owner,
        'select killdrill.resume($1, $2, $3, $4, $5, $6, 2) as answer',
        [namespace, '{"kind": "all"}', '{"kind": "at-once"}', 'op', 'x', progress],
      );
    const first = await asked(null);
    expect(first).toMatchObject({ tasks: 2, more: true });
    await stop();
    const second = await asked(JSON.stringify(first.progress));
    expect(second).toMatchObject({ tasks: 0, more: true });
    // What it passed over it does not look at for ever.
    expect(await asked(JSON.stringify(second.progress))).toMatchObject({ tasks: 0, more: false });
    await sweepAll();
    expect(new Set(Object.values(await states()))).toEqual(new Set(['discarded']));
  });

  test('that is cut off in the middle says how far it came, and the rest comes back with the next', async () => {
    await discarded(...Array.from({ length: 1_200 }, (_, i) => task(`t-${String(i).padStart(4, '0')}`)));
    // Somebody makes a later batch fail.
    await owner.query(`update killdrill.task set tenant = 'poison' where namespace = $1 and id = 't-0700'`, [
      namespace,
    ]);
    await owner.query(`create function pg_temp.fail() returns trigger language plpgsql as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$`);
    await owner.query(`create trigger cut before update on killdrill.task for each row
      when (new.tenant = 'poison' and new.state = 'queued') execute function pg_temp.fail()`);
    try {
      await expect(operator.resume({ kind: 'all' }, AT_ONCE, ASKER)).rejects.toMatchObject({
        code: 'STORE_UNREACHABLE',
        message: expect.stringMatching(/cut off after 500 tasks .*ask again/) as string,
      });
    } finally {
      await owner.query('drop trigger cut on killdrill.task');
    }
    expect(Object.values(await states()).filter((state) => state === 'queued')).toHaveLength(500);
    expect(await operator.resume({ kind: 'all' }, AT_ONCE, ASKER)).toMatchObject({ tasks: 700 });
    expect(await actions('resume')).toHaveLength(5);
  });

  test('of two operators at once resumes each task once', async () => {
    await discarded(...Array.from({ length: 300 }, (_, i) => task(`t-${i}`)));
    const other = openOperatorStore({ connectionString: database.flipperUrl, namespace, timings: PATIENT });
    try {
      const answers = await Promise.all([operator, other].map((one) => one.resume({ kind: 'all' }, AT_ONCE, ASKER)));
      expect(answers.map(({ tasks }) => tasks).reduce((sum, n) => sum + n)).toBe(300);
    } finally {
      await other.close();
    }
    expect(new Set(Object.values(await states()))).toEqual(new Set(['queued']));
  });

  test('waits for a sweep that another process is at, with no lock, and goes on when that is gone', async () => {
    await enqueue(task('a'));
    await stop();
    const other = await database.connect(database.ownerUrl);
    await begin(other);
    await other.query('select from killdrill.sweep where namespace = $1 for update', [namespace]);
    const fate = new Fate(operator.resume({ kind: 'all' }, AT_ONCE, ASKER));
    // Meanwhile a stop is taken at once, which no lock of the resume may hinder.
    await stop({ scope: 'tenant', target: 'nobody' });
    expect(fate.now).toBe('pending');
    await other.query('rollback');
    await expect.poll(() => fate.now, WAIT).toContain('resolved');
    expect(await states()).toEqual({ a: 'parked' });
    expect(await actions('resume')).toHaveLength(1);
  });

  test('is refused, on record, when what a stop discards is not written down within a minute', async () => {
    await enqueue(task('a'));
    await stop();
    const other = await database.connect(database.ownerUrl);
    await begin(other);
    await other.query('select from killdrill.sweep where namespace = $1 for update', [namespace]);
    const waiting = { sweeping: { through: 1, since: '2026-01-01T00:00:00Z', idle: false } };
    const answer = await oneAnswer(owner, 'select killdrill.resume($1, $2, $3, $4, $5, $6) as answer', [
      ...[namespace, '{"kind": "all"}', '{"kind": "at-once"}', 'op', 'x', JSON.stringify(waiting)],
    ]);
    await other.query('rollback');
    expect(answer).toMatchObject({ refused: { code: 'SWEEP_PENDING' } });
    expect(await actions('resume')).toMatchObject([{ refusal_code: 'SWEEP_PENDING', answer: null }]);
  });

  test('waits for a stop that is being taken, and holds no stop up for longer than a batch', async () => {
    await discarded(task('a'));
    const other = await database.connect(database.flipperUrl);
    await begin(other);
    await flip(other, namespace, stopText(namespace, { queue: 'park' }));
    const resumed = operator.resume({ kind: 'all' }, AT_ONCE, ASKER);
    await untilWaiting(owner, 1);
    await other.query('commit');
    expect(await resumed).toMatchObject({ tasks: 1, parked: 1 });
    expect(await states()).toEqual({ a: 'parked' });
  });
});

describe('the ledger', () => {
  async function effect(seq: number, outcome: OutcomeKind | null, parts = {}): Promise<void> {
    const { head } = await store.flips.load();
    const intent = sampleIntent(seq, { run: `run-${seq}`, ...parts });
    expect(await store.fence.admitIntents(namespace, head, [intent])).toMatchObject({ kind: 'admitted' });
    if (outcome !== null) await store.outcomes.record(namespace, [{ seq, kind: outcome, detail: null }]);
  }

  test('lists what landed and what nobody knows of, each with the flip that it comes after', async () => {
    await effect(1, 'landed');
    await effect(2, 'failed');
    await stop({ scope: 'tenant', target: 'other' });
    await effect(3, 'unknown', { tenant: null, run: '=1+1', capability: '@x"\n' });
    await effect(4, 'blocked');
    await stop({ scope: 'tenant', target: 'another' });
    await effect(5, null);
    const entries = await operator.ledger(null);
    expect(entries).toMatchObject([
      { incarnation: namespace, seq: 1, run: 'run-1', outcome: 'landed', afterRevision: 0, compensation: null },
      { seq: 3, run: '=1+1', tenant: null, capability: '@x"\n', outcome: 'unknown', afterRevision: 1 },
      { seq: 5, outcome: 'unknown', afterRevision: 2, access: 'write', idempotencyKey: 'key-5', feature: null },
    ]);
    for (const { at } of entries) expect(new Date(at).toISOString().slice(0, 19)).toBe(at.slice(0, 19));
    expect((await operator.ledger(1)).map(({ seq }) => seq)).toEqual([3, 5]);
    expect((await operator.ledger(2)).map(({ seq }) => seq)).toEqual([5]);
    expect(await operator.ledger(3)).toEqual([]);
  });

  test('is whole over many pages and blind to other namespaces', async () => {
    const { head } = await store.flips.load();
    const intents = Array.from({ length: 25_000 }, (_, i) => sampleIntent(i + 1));
    for (let from = 0; from < intents.length; from += 5_000) {
      await store.fence.admitIntents(namespace, head, intents.slice(from, from + 5_000));
    }
    const entries = await operator.ledger(null);
    expect(entries.map(({ seq }) => seq)).toEqual(intents.map(({ seq }) => seq));
  }, 60_000);

  test('issues one compensation an entry, for ever, also while everything is halted', async () => {
    await effect(1, 'landed');
    await stop();
    const entry = { incarnation: namespace, seq: 1 };
    const sent: string[] = [];
    const options = { capability: 'write/refund', deadlineMs: 10_000 };
    const call = async ({ idempotencyKey }: { readonly idempotencyKey: string }) => sent.push(idempotencyKey);
    const first = await compensate(operator, entry, options, ASKER, call);
    expect(first).toMatchObject({ isNew: true, sent: true, compensation: { outcome: 'landed', by: ASKER.by } });
    const again = await compensate(operator, entry, { ...options, capability: 'write/other' }, ASKER, call);
    expect(again).toEqual({ isNew: false, sent: false, compensation: first.compensation });
    expect(sent).toEqual([first.compensation.id]);
    expect(await operator.ledger(null)).toMatchObject([{ compensation: first.compensation }]);
  });

  test('issues one to two who ask at once', async () => {
    await effect(1, 'unknown');
    const other = openOperatorStore({ connectionString: database.flipperUrl, namespace, timings: PATIENT });
    try {
      const asked = [operator, other, operator, other].map((one) =>
        one.admitCompensation({ incarnation: namespace, seq: 1 }, 'write/refund', ASKER),
      );
      const tickets = await Promise.all(asked);
      expect(tickets.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(new Set(tickets.map(({ compensation: { id } }) => id)).size).toBe(1);
    } finally {
      await other.close();
    }
  });

  test('refuses a compensation of what it does not have, on record', async () => {
    await effect(1, 'failed');
    await effect(2, 'blocked');
    await effect(3, 'landed');
    const unknown = [
      ...[1, 2, 99, -1, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER].map((seq) => ({ incarnation: namespace, seq })),
      ...["no'body", '', 'nul \0'].map((incarnation) => ({ incarnation, seq: 3 })),
    ];
    for (const entry of unknown) {
      await expect(
        operator.admitCompensation(entry, 'write/refund', ASKER),
        JSON.stringify(entry),
      ).rejects.toMatchObject({
        code: 'LEDGER_ENTRY_UNKNOWN',
        message: expect.stringMatching(/name an entry of the ledger$/) as string,
      });
    }
    const elsewhere = `ns-${randomUUID()}`;
    await database.addNamespace(elsewhere);
    const stranger = openOperatorStore({
      connectionString: database.flipperUrl,
      namespace: elsewhere,
      timings: PATIENT,
    });
    try {
      const entry = { incarnation: namespace, seq: 3 };
      await expect(stranger.admitCompensation(entry, 'write/refund', ASKER)).rejects.toMatchObject({
        code: 'LEDGER_ENTRY_UNKNOWN',
      });
      expect(await stranger.ledger(null)).toEqual([]);
    } finally {
      await stranger.close();
    }
    await expect(operator.admitCompensation({ incarnation: namespace, seq: 3 }, '', ASKER)).rejects.toMatchObject({
      code: 'COMPENSATION_INVALID',
    });
    await expect(operator.closeCompensation('nobody', 'landed', null)).rejects.toMatchObject({
      code: 'COMPENSATION_UNKNOWN',
    });
    expect(await actions('compensation')).toHaveLength(unknown.length + 1);
    expect((await operator.ledger(null)).map(({ compensation }) => compensation)).toEqual([null]);
  });

  test('keeps an outcome that is certain, and lets one that is unknown be found out', async () => {
    await effect(1, 'landed');
    const { compensation } = await operator.admitCompensation(
      { incarnation: namespace, seq: 1 },
      'write/refund',
      ASKER,
    );
    const outcomeAfter = async (outcome: OutcomeKind) => {
      await operator.closeCompensation(compensation.id, outcome, null);
      return (await operator.ledger(null))[0]?.compensation?.outcome;
    };
    expect(await outcomeAfter('unknown')).toBe('unknown');
    expect(await outcomeAfter('landed')).toBe('landed');
    expect(await outcomeAfter('failed')).toBe('landed');
    await expect(operator.closeCompensation(compensation.id, 'lost' as never, null)).rejects.toMatchObject({
      code: 'COMPENSATION_INVALID',
    });
  });
});

describe('the governed agent', () => {
  test('holds neither release nor resume nor the pass of the operator', async () => {
    const agent = openOperatorStore({ connectionString: database.workerUrl, namespace, timings: PATIENT });
    try {
      const attempts: readonly (() => Promise<unknown>)[] = [
        () => agent.setCritical({ capabilities: ['write/*'], classes: [] }, ASKER),
        () => agent.declareContract(CONTRACT, ASKER),
        () => agent.redReasons([]),
        () => agent.resume({ kind: 'all' }, { kind: 'at-once' }, ASKER),
        () => agent.ledger(null),
        () => agent.admitCompensation({ incarnation: 'x', seq: 1 }, 'write/refund', ASKER),
        () => agent.closeCompensation(randomUUID(), 'landed', null),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'STORE_FORBIDDEN' });
    } finally {
      await agent.close();
    }
    const worker = await database.connect(database.workerUrl);
    for (const call of [
      `refuse_red('x', '{}', null)`,
      `resume_these('x', '{}', '{}', '{}')`,
      `on_record('x', 'resume', '', '', '', '{}')`,
      `to_resume('x', null, '{}', false, null, 1)`,
      `current_contract('x')`,
      `class_of('x', null)`,
    ]) {
      await expect(worker.query(`select killdrill.${call}`), call).rejects.toMatchObject({ code: '42501' });
    }
    expect(await actions()).toEqual([]);
  });

  test('and nobody else changes the record', async () => {
    await operator.declareContract(CONTRACT, ASKER);
    for (const statement of [
      'update killdrill.operator_action set reason = $$x$$',
      'delete from killdrill.run_contract',
    ]) {
      await expect(owner.query(statement)).rejects.toMatchObject({ detail: 'APPEND_ONLY' });
    }
    await expect(owner.query('truncate killdrill.operator_action')).rejects.toMatchObject({ detail: 'APPEND_ONLY' });
    expect(await actions('contract')).toMatchObject([{ asked_by: ASKER.by, login: expect.stringMatching(/^test_/) }]);
  });
});
