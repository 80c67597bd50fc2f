import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { vi } from 'vitest';
import { makePrng } from '../../../../harness/traffic/prng.ts';
import type { Prng } from '../../../../harness/traffic/prng.ts';
import type { TaskState } from '../../../../src/store/store.ts';
import type { StoreHandles } from '../contract/world.ts';
import { SOMEBODY } from '../samples.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { judgeChanges, readChanges, readEngagements } from './queue-history.ts';
import { CRITICAL_TENANT, StormOperator, StormWorker, below } from './queue-storm.ts';
import type { Storm } from './queue-storm.ts';

const WORKERS = 3;
const ROUNDS = 3;
const ACTS = 60;

async function killSome(owner: pg.Client, prng: Prng, times: number): Promise<void> {
  for (let kill = 0; kill < times; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5 + below(prng, 20)));
    await owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name in ('killdrill tasks', 'killdrill fence', 'killdrill operator')
       order by md5(pid::text || $1) limit 1`,
      [String(prng.bits32())],
    );
  }
}

async function sweepUntilDone(owner: pg.Client, { tasks }: StoreHandles, namespace: string): Promise<void> {
  await vi.waitFor(
    async () => {
      while ((await tasks.sweep(50)).more);
      const { rows } = await owner.query('select from killdrill.sweep where namespace = $1 and done_at is null', [
        namespace,
      ]);
      if (rows.length > 0) throw new Error(`${rows.length} sweeps are open`);
    },
    { timeout: 20_000, interval: 10 },
  );
}

/** Waiting tasks that are not what the engagements make of them, though all sweeps are done. */
async function unsettled(owner: pg.Client, namespace: string): Promise<readonly unknown[]> {
  const { rows } = await owner.query(
    `select t.id, t.state, t.due_at, killdrill.is_doomed(t) as doomed, killdrill.is_halted(t) as halted from killdrill.task t
     where t.namespace = $1 and (t.state in ('queued', 'parked') and killdrill.is_doomed(t)
       or t.state = 'parked' and not killdrill.is_halted(t)
       -- What was put back in the last moment of a drain is parked when somebody wants to claim it.
       or t.state = 'queued' and killdrill.is_halted(t) and not exists (
         select from killdrill.engagement e where e.namespace = t.namespace and e.policy = 'drain' and killdrill.covers(e, t)))`,
    [namespace],
  );
  return rows;
}

/** Brings every task to its end. */
async function calm(owner: pg.Client, store: StoreHandles, namespace: string): Promise<ReadonlyMap<string, TaskState>> {
  const ended = new Map<string, TaskState>();
  await vi.waitFor(
    async () => {
      for (const { id, token } of await store.tasks.claim('last', 500, 60_000))
        await store.tasks.finish({ task: id, token }, 'done');
      const { rows } = await owner.query<{ id: string; state: TaskState }>(
        'select id, state from killdrill.task where namespace = $1',
        [namespace],
      );
      const left = rows.filter(({ state }) => state === 'running' || state === 'queued');
      if (left.length > 0) throw new Error(`left: ${JSON.stringify(left.slice(0, 3))}`);
      for (const { id, state } of rows) ended.set(id, state);
    },
    { timeout: 20_000, interval: 10 },
  );
  return ended;
}

/**
 * One storm, drawn from a seed: workers and an operator at random while backends are killed, three times over; in between and
 * at the end everything must be as the engagements say. `watchChanges` must have been called for the database.
 *
 * @throws an assertion's error, with the seed.
 */
export async function runStorm(database: PreparedDatabase, owner: pg.Client, seed: string): Promise<void> {
  try {
    await rage(database, owner, makePrng(seed));
  } catch (error) {
    const recipe = `storm of seed ${seed} (KILLDRILL_STORM_SEED=${seed} draws the same again)`;
    throw new Error(`${recipe}: ${String(error)}`, { cause: error });
  }
}

async function rage(database: PreparedDatabase, owner: pg.Client, prng: Prng): Promise<void> {
  const namespace = `ns-${randomUUID()}`;
  await database.addNamespace(namespace);
  const storm: Storm = { namespace, tried: new Map(), queued: new Set(), open: new Set(), wrong: [] };
  const stores = Array.from({ length: WORKERS + 1 }, () => database.open(namespace, { lockMs: 1_000 }));
  const quiet = database.open(namespace);
  try {
    const classes = [{ name: 'vip', scope: 'tenant', target: CRITICAL_TENANT }] as const;
    await quiet.operator.setCritical({ capabilities: [], classes }, SOMEBODY);
    const [first, ...others] = stores;
    if (first === undefined) throw new Error('a storm has stores');
    const operator = new StormOperator(storm, first, prng.split('operator'));
    const workers = others.map(
      (store, at) => new StormWorker(storm, store, prng.split(`w${at}`), `${namespace}-w${at}`),
    );
    for (let round = 0; round < ROUNDS; round += 1) {
      const killing = killSome(owner, prng.split(`kill ${round}`), 6);
      await Promise.all([...workers.map((worker) => worker.act(ACTS)), operator.act(ACTS / 3), killing]);
      await sweepUntilDone(owner, quiet, namespace);
      refuseAny('not settled', await unsettled(owner, namespace));
    }
    await new StormOperator(storm, quiet, prng).releaseAll();
    await sweepUntilDone(owner, quiet, namespace);
    const ended = await calm(owner, quiet, namespace);
    const isEnd = (state: TaskState): boolean => ['done', 'failed', 'discarded', 'unknown'].includes(state);
    refuseAny(
      'lost',
      [...storm.queued].filter((id) => !ended.has(id)),
    );
    refuseAny(
      'left',
      [...ended].filter(([, state]) => !isEnd(state)),
    );
    const changes = await readChanges(owner, namespace);
    refuseAny('wrong', judgeChanges(changes, await readEngagements(owner, namespace), storm.tried));
    refuseAny('unexpected', storm.wrong);
    if (ended.size < 10) throw new Error(`a storm over ${ended.size} tasks proves nothing`);
  } finally {
    await Promise.all([...stores, quiet].map((store) => store.close()));
  }
}

function refuseAny(what: string, found: readonly unknown[]): void {
  if (found.length === 0) return;
  throw new Error(`${found.length} ${what}, such as ${JSON.stringify(found.slice(0, 3))}`);
}
