import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate } from '../src/store/postgres/migrate.ts';
import type { FromWorker, Leg, ToWorker, Variant } from './fence-worker.ts';

export interface FenceBenchOptions {
  /** A superuser's connection string; a database of our own is made there and dropped afterwards. */
  readonly adminUrl: string;
  /** Processes with one batch in flight each; 4. */
  readonly processes?: number;
  /** Intents a batch; 64. */
  readonly batch?: number;
  /** How often fenced and not fenced are compared, in the order fenced, not, not, fenced; 12. */
  readonly rounds?: number;
  /** Length of each of the four legs of a round, milliseconds; 500. */
  readonly legMs?: number;
  /** Whether the intents show claims on tasks, as a fleet's do; true. */
  readonly claims?: boolean;
}

/** A median with the interval that covers the true one with at least 95 %, from order statistics. */
export interface Middle {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

export interface FenceBench {
  readonly processes: number;
  readonly batch: number;
  readonly claims: boolean;
  readonly fencedPerSecond: Middle;
  readonly unfencedPerSecond: Middle;
  /** Fenced over not fenced, round by round: 0.9 says that the fence costs a tenth. */
  readonly ratio: Middle;
}

const NAMESPACE = 'bench';
const CONNECTION_BOUND_MS = 10_000;
const LEG_SLACK_MS = 10_000;
/** The one place in `admit_intents` that makes it a fence. */
const FENCE_CALL = 'fence(p_namespace, p_minimum_age_ms, p_epoch, p_revision, p_hash)';
const NO_FENCE = `row('admitted', 0, '{"kind": "admitted"}'::jsonb)`;

/**
 * Measures intents per second through the fence against the same insert without lock and compare, in ABBA rounds, since
 * the noise of one run exceeds what the fence costs.
 */
export async function benchFence(options: FenceBenchOptions): Promise<FenceBench> {
  const { adminUrl, processes = 4, batch = 64, rounds = 12, legMs = 500, claims = true } = options;
  const database = `bench_fence_${randomBytes(6).toString('hex')}`;
  const admin = await connect(adminUrl);
  try {
    await admin.query(`create database ${database}`);
    const connectionString = inDatabase(adminUrl, database);
    const owner = await connect(connectionString);
    const workers: ChildProcess[] = [];
    try {
      await prepare(owner);
      for (let index = 0; index < processes; index += 1)
        workers.push(await startWorker({ connectionString, namespace: NAMESPACE, batch, claims }));
      return { processes, batch, claims, ...(await measure(owner, workers, rounds, legMs)) };
    } finally {
      for (const worker of workers) worker.kill('SIGKILL');
      await owner.end();
    }
  } finally {
    await admin.query(`drop database if exists ${database} with (force)`);
    await admin.end();
  }
}

async function measure(owner: pg.Client, workers: readonly ChildProcess[], rounds: number, legMs: number) {
  const leg = (variant: Variant) => runLeg(workers, { variant, ms: legMs });
  const fenced: number[] = [];
  const unfenced: number[] = [];
  await leg('fenced'); // warm: plans, caches, JIT
  await leg('unfenced');
  for (let round = 0; round < rounds; round += 1) {
    await owner.query('truncate killdrill.intent');
    const a1 = await leg('fenced');
    const b1 = await leg('unfenced');
    const b2 = await leg('unfenced');
    const a2 = await leg('fenced');
    fenced.push((a1 + a2) / 2);
    unfenced.push((b1 + b2) / 2);
  }
  const ratios = fenced.map((value, index) => value / (unfenced[index] ?? Number.NaN));
  return { fencedPerSecond: middle(fenced), unfencedPerSecond: middle(unfenced), ratio: middle(ratios) };
}

/** All workers at once; intents per second of them together. */
async function runLeg(workers: readonly ChildProcess[], leg: Leg): Promise<number> {
  const answers = await Promise.all(workers.map((worker) => ask(worker, { kind: 'leg', leg }, leg.ms + LEG_SLACK_MS)));
  return answers.reduce((sum, answer) => sum + (answer.kind === 'did' ? (answer.intents / answer.ms) * 1000 : 0), 0);
}

async function startWorker(task: Extract<ToWorker, { kind: 'start' }>['task']): Promise<ChildProcess> {
  const worker = fork(fileURLToPath(new URL('./fence-worker.ts', import.meta.url)), { serialization: 'advanced' });
  await ask(worker, { kind: 'start', task }, CONNECTION_BOUND_MS);
  return worker;
}

async function ask(worker: ChildProcess, question: ToWorker, boundMs: number): Promise<FromWorker> {
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(boundMs)]);
  const exited = once(worker, 'exit', { signal }).then(([code]) => {
    throw new Error(`a bench worker exited with ${String(code)}`);
  });
  exited.catch(() => undefined);
  try {
    const answered = once(worker, 'message', { signal });
    worker.send(question);
    const [answer] = (await Promise.race([answered, exited])) as [FromWorker]; // our own worker's message
    return answer;
  } finally {
    done.abort();
  }
}

/** The same function with the fence taken out of it, so that nothing else differs. */
async function prepare(owner: pg.Client): Promise<void> {
  await migrate(owner, { namespace: NAMESPACE });
  const { rows } = await owner.query<{ definition: string }>(
    `select pg_get_functiondef(oid) as definition from pg_proc where proname = 'admit_intents'`,
  );
  const definition = rows[0]?.definition ?? '';
  if (definition.split(FENCE_CALL).length !== 2)
    throw new Error(`admit_intents no longer says '${FENCE_CALL}' exactly once`);
  await owner.query(definition.replace('admit_intents', 'admit_intents_unfenced').replace(FENCE_CALL, NO_FENCE));
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECTION_BOUND_MS,
    query_timeout: CONNECTION_BOUND_MS * 3,
  });
  client.on('error', () => undefined); // the call that needed it tells
  await client.connect();
  return client;
}

function inDatabase(url: string, database: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${database}`);
}

function middle(values: readonly number[]): Middle {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (index: number) => sorted[Math.max(0, Math.min(sorted.length - 1, index))] ?? Number.NaN;
  const rank = medianRank(sorted.length);
  const half = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(half)) + at(Math.ceil(half))) / 2,
    low: at(rank),
    high: at(sorted.length - 1 - rank),
    n: sorted.length,
  };
}

/** The largest rank r for which [x(r), x(n-1-r)] covers the median with at least 95 %: binomial(n, 1/2) tails of 2.5 %. */
function medianRank(n: number): number {
  let tail = 0;
  let term = 2 ** -n;
  for (let rank = 0; rank < n; rank += 1) {
    tail += term;
    if (tail > 0.025) return Math.max(0, rank - 1);
    term *= (n - rank) / (rank + 1);
  }
  return 0;
}
