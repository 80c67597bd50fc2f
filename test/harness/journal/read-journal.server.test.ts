import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readJournal } from '../../../harness/journal/read-journal.ts';
import { sampleIntent, sampleTask, stopText } from '../../src/store/samples.ts';
import { openRig } from '../conductor/rig.ts';
import type { Rig, Stage } from '../conductor/rig.ts';

/** What a mutant would plant: a function that answers wrongly, and says so. */
const PLANTED = `
create function planted_bug() returns void language plpgsql security definer set search_path from current as $$
begin
  insert into drill_mutant (name, input, unmodified, mutated) values ('planted', '{"task": "a"}', '"parked"', '"queued"');
end $$;
`;

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ grants: ['select on task'], sql: PLANTED });
});
afterAll(() => rig.close());

const CLAIM_MS = 60_000;

async function readBy({ namespace, store, test: { history } }: Stage): Promise<void> {
  const owner = { connectionString: rig.database.ownerUrl };
  await readJournal({ owner, namespace, ledger: () => store.patient.ledger(null) }, history);
}

test('each change of a task is told in order, after the flips that came before it', async () => {
  const stage = await rig.stage([]);
  const { handles, namespace } = stage;
  const enqueue = async (...ids: readonly string[]): Promise<void> => {
    const { head } = await handles.flips.load();
    const tasks = ids.map((id) => sampleTask(id, { kind: id === 'hook' ? 'webhook' : 'run' }));
    expect(await handles.fence.enqueue(head, tasks)).toMatchObject({ kind: 'admitted' });
  };
  await enqueue('held', 'again');
  const claimed = await handles.tasks.claim('me', 2, CLAIM_MS);
  const claims = new Map(claimed.map(({ id, token }) => [id, { task: id, token }]));
  const claimOf = (id: string) => claims.get(id) ?? { task: id, token: '' };
  expect(await handles.tasks.retry(claimOf('again'), 60_000)).toBe('queued');
  const id = 'stop-1';
  await handles.control.flip(stopText(namespace, { id, scope: 'tenant', target: 'acme', queue: 'park' }), null);
  expect(await handles.tasks.halted(claimOf('held'), id)).toBe('parked');
  await enqueue('hook');

  await readBy(stage);
  const changes = stage.of('store.taskChange');
  const brief = changes.map((one) => [one.task, one.from, one.to, one.attempts, one.retry, one.afterRevision]);
  expect(brief.filter(([task]) => task === 'held')).toEqual([
    ['held', null, 'queued', 0, false, 0],
    ['held', 'queued', 'running', 1, false, 0],
    ['held', 'running', 'parked', 0, false, 1],
  ]);
  expect(brief.filter(([task]) => task === 'again')).toEqual([
    ['again', null, 'queued', 0, false, 0],
    ['again', 'queued', 'running', 1, false, 0],
    ['again', 'running', 'queued', 1, true, 0],
  ]);
  expect(brief.filter(([task]) => task === 'hook')).toEqual([['hook', null, 'parked', 0, false, 1]]);
  const retried = changes.find(({ task, retry }) => task === 'again' && retry);
  expect((retried?.dueNs ?? 0) - (retried?.t0 ?? 0)).toBeGreaterThan(50e9);

  const told = { tenant: 'acme', feature: 'support', agent: 'agent-1', lineage: [], capability: null, critical: false };
  expect(stage.of('store.task')).toEqual([
    expect.objectContaining({ ...told, task: 'held', kind: 'run', state: 'parked', attempts: 0, admittedRevision: 0 }),
    expect.objectContaining({ ...told, task: 'again', kind: 'run', state: 'queued', attempts: 1, admittedRevision: 0 }),
    expect.objectContaining({ ...told, task: 'hook', kind: 'webhook', state: 'parked', admittedRevision: 1 }),
  ]);
});

test('a claim that is over and is had by somebody else is a change, a claim that is prolonged is none', async () => {
  const stage = await rig.stage([]);
  const { handles } = stage;
  const { head } = await handles.flips.load();
  await handles.fence.enqueue(head, [sampleTask('passed-on')]);
  const [first] = await handles.tasks.claim('one', 1, 1);
  expect(first?.id).toBe('passed-on');
  const passed = await vi.waitUntil(async () => (await handles.tasks.claim('two', 1, CLAIM_MS))[0], { timeout: 5_000 });
  expect(await handles.tasks.extend([{ task: passed.id, token: passed.token }], CLAIM_MS)).toEqual(['passed-on']);
  await readBy(stage);
  expect(stage.of('store.taskChange').map(({ from, to }) => `${from ?? 'nothing'} → ${to}`)).toEqual([
    'nothing → queued',
    'queued → running',
    'running → running',
  ]);
});

test('the ledger is told as the runtime gives it, with what was compensated', async () => {
  const stage = await rig.stage([]);
  const { handles, namespace, store } = stage;
  const { head } = await handles.flips.load();
  const intents = [sampleIntent(1), sampleIntent(2, { run: 'run-2' }), sampleIntent(3)];
  await handles.fence.admitIntents(namespace, head, intents);
  await handles.outcomes.record(namespace, [
    { seq: 1, kind: 'landed', detail: null },
    { seq: 3, kind: 'failed', detail: 'no' },
  ]);
  const asker = { by: 'drill', reason: 'undo' };
  const ticket = await store.operator.admitCompensation({ incarnation: namespace, seq: 1 }, 'undo/mail', asker);
  await store.operator.closeCompensation(ticket.compensation.id, 'landed', null);

  await readBy(stage);
  const { id } = ticket.compensation;
  expect(stage.of('store.ledger')).toMatchObject([
    {
      ...{ incarnation: namespace, intent: 1, run: 'run-1', capability: 'write/mail', access: 'write' },
      ...{ key: 'key-1', outcome: 'landed', afterRevision: 0 },
      compensation: { id, capability: 'undo/mail', by: 'drill', reason: 'undo', outcome: 'landed' },
    },
    { intent: 2, run: 'run-2', key: 'key-2', outcome: 'unknown', compensation: null },
  ]);
  // The ledger's instants are on the clock of the rows that they belong to.
  const [row] = stage.of('store.intent');
  expect(Math.abs((stage.of('store.ledger')[0]?.t0 ?? 0) - (row?.t0 ?? Infinity))).toBeLessThan(2e6);
});

test('a life of the server is told, which had begun before anything was admitted', async () => {
  const stage = await rig.stage([]);
  const { handles, namespace } = stage;
  const { head } = await handles.flips.load();
  await handles.fence.admitIntents(namespace, head, [sampleIntent(1)]);
  await readBy(stage);
  const [life, ...others] = stage.of('store.life');
  expect(others).toEqual([]);
  expect(life).toBeDefined();
  expect(life?.t0).toBeLessThanOrEqual(stage.of('store.intent')[0]?.t0 ?? -Infinity);
});

test('a bug that is planted in the store proves itself active', async () => {
  const stage = await rig.stage([]);
  await stage.store.owner.use('bug', (ask) => ask('select killdrill.planted_bug()'));
  await readBy(stage);
  expect(stage.of('store.mutant')).toMatchObject([
    { name: 'planted', input: { task: 'a' }, unmodified: 'parked', mutated: 'queued' },
  ]);
});

test('the worker sees the table that a mutant was granted, and never the witness', async () => {
  const client = await rig.database.connect(rig.database.workerUrl);
  await expect(client.query('select count(*) from killdrill.task')).resolves.toMatchObject({ rowCount: 1 });
  await expect(client.query('delete from killdrill.drill_task_change')).rejects.toThrow(/permission denied/);
});

test('sql that the store does not take is an error of the drill', async () => {
  await expect(openRig({ grants: [], sql: 'create table half (); nonsense;' })).rejects.toMatchObject({
    code: 'DRILL_STORE_NOT_PREPARED',
    message: expect.stringContaining("the mutant's sql") as string,
  });
});
