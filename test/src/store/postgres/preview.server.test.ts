import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/clock.ts';
import { previewStop } from '../../../../src/control/preview.ts';
import type { Opened } from '../../../../src/store/postgres/flip-source.ts';
import { openPreviewStore } from '../../../../src/store/postgres/preview-store.ts';
import type { PreviewStore } from '../../../../src/store/preview-port.ts';
import type { StoreHandles } from '../contract/world.ts';
import { SOMEBODY, sampleIntent, sampleTask, stopText } from '../samples.ts';
import { namespaceEach } from './namespace-each.ts';
import { PATIENT } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

let database: PreparedDatabase;
let namespace: string;
let store: StoreHandles;
let previews: Opened<PreviewStore>;
const GLOBAL = { scope: 'global', target: '*' } as const;

namespaceEach((ground) => ({ database, namespace, store } = ground));
beforeEach(() => {
  previews = openPreviewStore({ connectionString: database.flipperUrl, namespace, timings: PATIENT });
  return () => previews.close();
});

/** An incarnation's numbers are its own for ever, in every namespace. */
const incarnation = (worker: string): string => `${worker} of ${namespace}`;
const LATE = { deadlineMs: 3_600_000 };

/** Two tenants: acme has three queued tasks, one of them a timer, and two calls; other has one call and one task that runs. */
async function fleet(): Promise<void> {
  const { head } = await store.flips.load();
  const none = { feature: null };
  await store.fence.enqueue(head, [sampleTask('r', { ...none, tenant: 'other', agent: 'agent-2' })]);
  await store.tasks.claim(incarnation('worker-2'), 1, 60_000);
  await store.fence.enqueue(head, [
    sampleTask('a', none),
    sampleTask('b', none),
    sampleTask('c', { ...none, kind: 'timer', run: 'a', due: { kind: 'in', ms: 60_000 } }),
  ]);
  await store.fence.admitIntents(incarnation('worker-1'), head, [
    sampleIntent(1, { ...LATE, run: 'a', capability: 'write/mail' }),
    sampleIntent(2, { ...LATE, run: 'b', capability: 'read/crm', access: 'read' }),
    sampleIntent(3, { ...LATE, run: 'a', capability: 'write/mail' }),
    sampleIntent(4, { run: 'b', deadlineMs: 0.001 }),
  ]);
  await store.fence.admitIntents(incarnation('worker-2'), head, [
    sampleIntent(1, { ...LATE, run: 'r', tenant: 'other', agent: 'agent-2', capability: 'write/mail' }),
  ]);
  await store.outcomes.record(incarnation('worker-1'), [{ seq: 3, kind: 'landed', detail: null }]);
}

describe('a preview of a stop', () => {
  test('of nothing at all hits nothing', async () => {
    const found = await previews.preview(GLOBAL, 'halt_all');
    expect(found).toMatchObject({ head: { revision: 0 }, items: 0, passes: 0, alreadyOpen: 0, narrower: [] });
    expect(Object.values(found.hits)).toEqual(Array.from({ length: 10 }, () => 0));
  });

  test('counts runs, workers, calls, tasks, timers and retries in scope, and what is overdue apart', async () => {
    await fleet();
    expect((await previews.preview(GLOBAL, 'halt_all')).hits).toEqual({
      ...{ runs: 3, workers: 2, inFlight: 3, writesInFlight: 2, overdue: 1 },
      ...{ running: 1, queued: 3, parked: 0, timers: 1, retries: 0 },
    });
    const acme = await previews.preview({ scope: 'tenant', target: 'acme' }, 'halt_all');
    expect(acme.hits).toMatchObject({ runs: 2, workers: 1, inFlight: 2, writesInFlight: 1, running: 0, queued: 3 });
    const writes = await previews.preview({ scope: 'capability', target: 'write/*' }, 'halt_all');
    expect(writes.hits).toMatchObject({ runs: 2, inFlight: 2, queued: 0 });
    expect(writes.narrower[0]).toMatchObject({ scope: 'capability', target: 'write/mail', items: 2 });
    expect((await previews.preview({ scope: 'run', target: 'r' }, 'halt_all')).hits).toMatchObject({
      runs: 1,
      running: 1,
    });
    expect((await previews.preview({ scope: 'run', target: 'nobody' }, 'halt_all')).items).toBe(0);
  });

  test('names narrower switches, the smallest that is enough first', async () => {
    const { head } = await store.flips.load();
    await store.fence.enqueue(head, [
      sampleTask('a', { tenant: 'acme', feature: 'support', agent: 'one' }),
      sampleTask('b', { tenant: 'acme', feature: 'sales', agent: 'one' }),
      sampleTask('c', { tenant: 'acme', feature: 'support', agent: 'one' }),
    ]);
    const { narrower, items } = await previews.preview(GLOBAL, 'halt_all');
    expect(items).toBe(3);
    expect(narrower.map(({ scope, target, items: its }) => [scope, target, its])).toEqual([
      ['agent', 'one', 3],
      ['tenant', 'acme', 3],
      ['feature', 'support', 2],
      ['run', 'a', 1],
      ['run', 'b', 1],
      ['run', 'c', 1],
      ['feature', 'sales', 1],
    ]);
    expect(narrower[2]?.hits).toMatchObject({ runs: 2, queued: 2 });
  });

  test('lets pass in the mildest mode what is critical, and says how much', async () => {
    await store.operator.setCritical(
      { capabilities: ['read/*'], classes: [{ name: 'money', scope: 'tenant', target: 'other' }] },
      SOMEBODY,
    );
    await fleet();
    const milder = await previews.preview(GLOBAL, 'halt_noncritical');
    expect(milder.passes).toBe(2);
    expect(milder.hits).toMatchObject({ inFlight: 2, running: 0, queued: 3 });
    expect((await previews.preview(GLOBAL, 'halt_all')).passes).toBe(0);
  });

  test('says what is stopped already', async () => {
    await fleet();
    await store.control.flip(stopText(namespace, { scope: 'tenant', target: 'acme', queue: 'park' }), null);
    while ((await store.tasks.sweep(1_000)).more);
    const acme = await previews.preview({ scope: 'tenant', target: 'acme' }, 'halt_all');
    expect(acme).toMatchObject({ alreadyOpen: 1, head: { revision: 1 }, hits: { queued: 0, parked: 3 } });
    expect((await previews.preview({ scope: 'tenant', target: 'other' }, 'halt_all')).alreadyOpen).toBe(0);
  });

  test('waits for no stop, and no stop waits for it', async () => {
    const holder = await database.connect(database.flipperUrl);
    await holder.query('begin');
    await holder.query('select pg_advisory_xact_lock(killdrill.fence_key($1))', [namespace]);
    expect((await previews.preview(GLOBAL, 'halt_all')).items).toBe(0);
    await holder.query('rollback');
    await holder.query('begin');
    await holder.query(`select killdrill.preview_stop($1, 'global', '*', 'halt_all', 1000, 8)`, [namespace]);
    await store.control.flip(stopText(namespace), null);
    await holder.query('rollback');
  });

  test('is the operator’s: a worker may not look', async () => {
    const asWorker = openPreviewStore({ connectionString: database.workerUrl, namespace, timings: PATIENT });
    await expect(asWorker.preview(GLOBAL, 'halt_all')).rejects.toMatchObject({ code: 'STORE_FORBIDDEN' });
    await asWorker.close();
  });

  test('of a store that is away or hangs says so, in time', async () => {
    const away = openPreviewStore({ connectionString: 'postgres://op@127.0.0.1:1/x', namespace });
    expect(await previewStop({ store: away, clock: systemClock, boundMs: 10_000 }, GLOBAL, 'halt_all')).toMatchObject({
      kind: 'unseen',
      why: expect.stringMatching(/no answer from PostgreSQL/) as string,
    });
    await away.close();
    const hangs: PreviewStore = { preview: () => new Promise(() => undefined) };
    expect(await previewStop({ store: hangs, clock: systemClock, boundMs: 20 }, GLOBAL, 'halt_all')).toEqual({
      ...{ kind: 'unseen', why: 'the store did not answer within 20 ms' },
    });
  });
});
