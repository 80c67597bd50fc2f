import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openOperatorStore } from '../../src/store/postgres/operator-store.ts';
import { prepareDatabase } from '../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../src/store/postgres/prepared-database.ts';
import { step, task } from './fleet-rig.ts';
import { TinyWorld, WAIT, WorkerProcess } from './worker-process.ts';

let database: PreparedDatabase;
let owner: pg.Client;
let gatekeeper: pg.Client;
let world: TinyWorld;
let worldUrl: string;
let namespace: string;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  database = await prepareDatabase();
  owner = await database.connect(database.ownerUrl);
  gatekeeper = await database.connect(database.ownerUrl);
});
afterAll(() => database.close());

beforeEach(async () => {
  namespace = `killed-${randomUUID()}`;
  await database.addNamespace(namespace);
  world = new TinyWorld();
  worldUrl = await world.listen();
});
afterEach(async () => {
  await gatekeeper.query('rollback');
  for (const worker of workers.splice(0)) {
    worker.signal('SIGKILL');
    await worker.ended();
  }
  world.close();
});

async function startWorker(): Promise<WorkerProcess> {
  const worker = new WorkerProcess(database, namespace, worldUrl);
  workers.push(worker);
  await worker.saying('ready');
  return worker;
}

async function enqueue(plan: readonly unknown[]): Promise<void> {
  const handles = database.open(namespace);
  const { head } = await handles.flips.load();
  await handles.fence.enqueue(head, [task('r', plan)]);
  await handles.close();
}

/** Nothing of this kind is written to the table until `open`. */
async function shut(table: 'intent' | 'task'): Promise<void> {
  await gatekeeper.query(`begin; lock table killdrill.${table} in share mode`);
}

async function open(): Promise<void> {
  await gatekeeper.query('rollback');
}

const BLOCKED = `from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  and cardinality(pg_blocking_pids(pid)) > 0`;

/** Waits until somebody waits at the shut table. */
async function untilBlocked(): Promise<void> {
  await expect.poll(async () => (await owner.query(`select pid ${BLOCKED}`)).rowCount, WAIT).toBeGreaterThan(0);
}

/** As a kill -9 before the statement was sent: what waits at the shut table is never done. */
async function killNow(worker: WorkerProcess): Promise<void> {
  worker.signal('SIGKILL');
  await worker.ended();
  await owner.query(`select pg_terminate_backend(pid) ${BLOCKED}`);
  await expect.poll(async () => (await owner.query(`select pid ${BLOCKED}`)).rowCount, WAIT).toBe(0);
}

async function row(): Promise<{ state: string; attempts: number } | undefined> {
  const found = await owner.query<{ state: string; attempts: number }>(
    'select state, attempts from killdrill.task where namespace = $1 and id = $2',
    [namespace, 'r'],
  );
  return found.rows[0];
}

async function untilState(state: string): Promise<void> {
  await expect.poll(async () => (await row())?.state, WAIT).toBe(state);
}

async function journal(): Promise<readonly { key: string; outcome: string | null }[]> {
  const found = await owner.query<{ key: string; outcome: string | null }>(
    `select i.idempotency_key as key, o.kind as outcome from killdrill.intent i
     left join killdrill.outcome o using (incarnation, seq) where i.namespace = $1 order by i.xid, i.seq`,
    [namespace],
  );
  return found.rows;
}

/** The time of the dead worker's claim is over. */
async function endClaim(): Promise<void> {
  await owner.query(
    `update killdrill.task set claim_deadline = clock_timestamp() where namespace = $1 and state = 'running'`,
    [namespace],
  );
}

async function resume(): Promise<void> {
  const operator = openOperatorStore({ connectionString: database.flipperUrl, namespace });
  await operator.resume(
    { kind: 'runs', runs: ['r'] },
    { kind: 'at-once' },
    { by: 'operator', reason: 'looked into it' },
  );
  await operator.close();
}

describe('a worker that is killed between two steps of an effect', () => {
  it('before the intent leaves a task that the next one does from its start', async () => {
    const victim = await startWorker();
    await shut('intent');
    await enqueue([step()]);
    await untilBlocked();
    await killNow(victim);
    await open();
    expect([await row(), await journal()]).toEqual([{ state: 'running', attempts: 1 }, []]);
    await endClaim();
    await startWorker();
    await untilState('done');
    expect(world.arrived).toEqual(['r/0']);
  });

  it('after the intent leaves an unknown effect, though nothing was sent, and it is passed over when resumed', async () => {
    const victim = await startWorker();
    await shut('intent');
    await enqueue([step(), step()]);
    await untilBlocked();
    victim.signal('SIGSTOP');
    await open();
    await expect.poll(journal, WAIT).toEqual([{ key: 'r/0', outcome: null }]);
    victim.signal('SIGKILL');
    await endClaim();
    await startWorker();
    await untilState('unknown');
    expect(world.arrived).toEqual([]);
    await resume();
    await untilState('done');
    expect(world.arrived).toEqual(['r/1']);
  });

  it('after the dispatch leaves an unknown effect, which is never sent again', async () => {
    const victim = await startWorker();
    world.holding.add('r/0');
    await enqueue([step(), step()]);
    await expect.poll(() => world.arrived, WAIT).toEqual(['r/0']);
    victim.signal('SIGKILL');
    await victim.ended();
    expect(await journal()).toEqual([{ key: 'r/0', outcome: null }]);
    await endClaim();
    await startWorker();
    await untilState('unknown');
    await resume();
    await untilState('done');
    expect(world.arrived).toEqual(['r/0', 'r/1']);
  });

  it('after the dispatch of an idempotent step leaves one that is sent again when resumed', async () => {
    const victim = await startWorker();
    world.holding.add('r/0');
    await enqueue([step('write/mail', { idempotent: true })]);
    await expect.poll(() => world.arrived, WAIT).toEqual(['r/0']);
    victim.signal('SIGKILL');
    await victim.ended();
    await endClaim();
    await startWorker();
    await untilState('unknown');
    await resume();
    await untilState('done');
    expect(world.arrived).toEqual(['r/0', 'r/0']);
  });

  it('after the outcome leaves a task whose landed steps are skipped', async () => {
    const victim = await startWorker();
    world.holding.add('r/0');
    await enqueue([step(), step()]);
    await expect.poll(() => world.arrived, WAIT).toEqual(['r/0']);
    await shut('intent');
    world.land('r/0');
    await untilBlocked();
    await expect.poll(journal, WAIT).toEqual([{ key: 'r/0', outcome: 'landed' }]);
    await killNow(victim);
    await open();
    await endClaim();
    await startWorker();
    await untilState('done');
    expect(world.arrived).toEqual(['r/0', 'r/1']);
  });

  it('before the finish leaves a task that just ends', async () => {
    const victim = await startWorker();
    world.holding.add('r/0');
    await enqueue([step()]);
    await expect.poll(() => world.arrived, WAIT).toEqual(['r/0']);
    await shut('task');
    world.land('r/0');
    await untilBlocked();
    await expect.poll(journal, WAIT).toEqual([{ key: 'r/0', outcome: 'landed' }]);
    await killNow(victim);
    await open();
    expect((await row())?.state).toBe('running');
    await endClaim();
    await startWorker();
    await untilState('done');
    expect(world.arrived).toEqual(['r/0']);
  });

  it('leaves nothing running when it is asked to end instead', async () => {
    const worker = await startWorker();
    world.holding.add('r/0');
    await enqueue([step(), step()]);
    await expect.poll(() => world.arrived, WAIT).toEqual(['r/0']);
    worker.signal('SIGTERM');
    await expect.poll(() => world.polls, WAIT).toBe(0);
    world.land('r/0');
    expect(await worker.ended()).toBe(0);
    expect(await row()).toEqual({ state: 'queued', attempts: 0 });
    expect(await worker.saying('bye')).toEqual({ event: 'bye', effects: 1, intents: 1 });
  });
});
