import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { canonicalText } from '../src/flip-text.ts';
import { openFlipStore } from '../src/store/postgres/flip-store.ts';
import { migrate } from '../src/store/postgres/migrate.ts';
import { openTaskQueue } from '../src/store/postgres/task-queue.ts';
import type { FlipStore, TaskQueue } from '../src/store/store.ts';
import type { QueuePolicy, Scope } from '../src/switch.ts';
import { median, summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

export interface QueueBench {
  /** Waiting tasks in scope of the stop. */
  readonly tasks: number;
  /** Milliseconds from asking for a stop to its answer, with none and with all of them queued; asked for in turn. */
  readonly none: Summary;
  readonly full: Summary;
  /** Median of the pairs' ratios. */
  readonly ratio: number;
  /** The same while another process sweeps what earlier flips left. */
  readonly whileSwept: Summary;
  readonly sweeps: readonly SweepFigure[];
  readonly others: OthersFigure;
}

export interface SweepFigure {
  readonly what: string;
  readonly tasks: number;
  readonly perSecond: number;
  /** Milliseconds of a batch: for so long a stop may have to wait. */
  readonly batch: Summary;
}

/** Claims of a tenant that no stop covers, one claimant and one sweeper at work, among tasks that wait to be swept. */
export interface OthersFigure {
  readonly tasks: number;
  readonly claimMs: Summary;
  /** Milliseconds from the stop until the last of them was claimed. */
  readonly allMs: number;
  /** The same for as many tasks in a queue that holds nothing else. */
  readonly aloneMs: number;
}

interface Bench {
  readonly url: string;
  readonly owner: pg.Client;
  readonly control: (namespace: string) => FlipStore & { close(): Promise<void> };
  readonly queue: (namespace: string) => TaskQueue & { close(): Promise<void> };
}

const TASKS = 100_000;
/** One task in so many is of the tenant that goes on. */
const OTHERS_ONE_IN = 50;
const BATCH = 2_000;
const CLAIM = 16;
const PAIRS = 200;
const WARM_UP = 20;
const CLAIM_MS = 3_600_000;
const TIMINGS = { statementMs: 10_000, answerMs: 12_000 };

/** What a queue of 100,000 tasks costs: a stop over it, the sweeps that the stop leaves, and those whom it does not concern. */
export async function benchQueue(url: string): Promise<QueueBench> {
  const owner = new pg.Client({ connectionString: url, query_timeout: 120_000 });
  await owner.connect();
  const options = (namespace: string) => ({ connectionString: url, namespace, timings: TIMINGS });
  const bench: Bench = {
    url,
    owner,
    control: (namespace) => openFlipStore(options(namespace)),
    queue: (namespace) => openTaskQueue(options(namespace)),
  };
  try {
    const flips = await measureFlips(bench);
    const sweeps = await measureSweeps(bench);
    return { tasks: TASKS, ...flips, sweeps, others: await measureOthers(bench) };
  } finally {
    await owner.end();
  }
}

/** Stops over an empty and over a full queue, in turn; each is released again, and nobody sweeps. */
async function measureFlips(bench: Bench): Promise<Pick<QueueBench, 'none' | 'full' | 'ratio' | 'whileSwept'>> {
  await fill(bench, 'empty', 0);
  await fill(bench, 'full', TASKS);
  const [empty, full] = [bench.control('empty'), bench.control('full')];
  try {
    const [none, all]: [number[], number[]] = [[], []];
    for (let pair = -WARM_UP; pair < PAIRS; pair += 1) {
      // The order changes from pair to pair: what comes second finds warmer caches.
      const emptyFirst = pair % 2 === 0;
      const before = emptyFirst ? await stopOnce(empty, 'empty') : null;
      const withAll = await stopOnce(full, 'full');
      const withNone = before ?? (await stopOnce(empty, 'empty'));
      if (pair < 0) continue;
      none.push(withNone);
      all.push(withAll);
    }
    const ratio = median(all.map((ms, at) => ms / (none[at] ?? Number.NaN)));
    const whileSwept = await measureWhileSwept(bench, full);
    return { none: summarise(none), full: summarise(all), ratio, whileSwept };
  } finally {
    await empty.close();
    await full.close();
  }
}

async function measureWhileSwept(bench: Bench, control: FlipStore): Promise<Summary> {
  const sweeper = bench.queue('full');
  const over = new AbortController();
  const sweeping = (async () => {
    while (!over.signal.aborted) await sweeper.sweep(BATCH);
  })();
  try {
    const times: number[] = [];
    for (let round = 0; round < PAIRS; round += 1) times.push(await stopOnce(control, 'full'));
    return summarise(times);
  } finally {
    over.abort();
    await sweeping;
    await sweeper.close();
  }
}

/** Milliseconds until a stop is answered; releases it afterwards. */
async function stopOnce(control: FlipStore, namespace: string): Promise<number> {
  const id = randomUUID();
  const from = performance.now();
  await control.flip(stopText(namespace, id, 'park'), null);
  const ms = performance.now() - from;
  await control.flip(releaseText(namespace, id), null);
  return ms;
}

async function measureSweeps(bench: Bench): Promise<readonly SweepFigure[]> {
  const namespace = 'swept';
  await fill(bench, namespace, TASKS);
  const control = bench.control(namespace);
  const queue = bench.queue(namespace);
  try {
    await control.flip(stopText(namespace, 'a', 'park'), null);
    const parked = await sweepAll(queue, 'parked by a stop');
    await control.flip(releaseText(namespace, 'a'), null);
    const unparked = await sweepAll(queue, 'back after its release');
    await control.flip(stopText(namespace, 'b', 'discard'), null);
    return [parked, unparked, await sweepAll(queue, 'discarded by a stop')];
  } finally {
    await control.close();
    await queue.close();
  }
}

async function sweepAll(queue: TaskQueue, what: string): Promise<SweepFigure> {
  const batches: number[] = [];
  const from = performance.now();
  let tasks = 0;
  for (let more = true; more;) {
    const begin = performance.now();
    const answer = await queue.sweep(BATCH);
    batches.push(performance.now() - begin);
    tasks += answer.swept;
    more = answer.more;
  }
  return { what, tasks, perSecond: (tasks / (performance.now() - from)) * 1_000, batch: summarise(batches) };
}

async function measureOthers(bench: Bench): Promise<OthersFigure> {
  const tasks = TASKS / OTHERS_ONE_IN;
  await fill(bench, 'alone', tasks, 1);
  const alone = await claimAll(bench, 'alone', tasks);
  await fill(bench, 'mixed', TASKS, OTHERS_ONE_IN);
  const control = bench.control('mixed');
  const sweeper = bench.queue('mixed');
  try {
    await control.flip(stopText('mixed', 'a', 'discard', 'tenant', 'stopped'), null);
    const [claims] = await Promise.all([claimAll(bench, 'mixed', tasks), sweepAll(sweeper, 'beside the claims')]);
    return { tasks, claimMs: summarise(claims.times), allMs: claims.allMs, aloneMs: alone.allMs };
  } finally {
    await control.close();
    await sweeper.close();
  }
}

async function claimAll(
  bench: Bench,
  namespace: string,
  tasks: number,
): Promise<{ readonly times: readonly number[]; readonly allMs: number }> {
  const queue = bench.queue(namespace);
  const times: number[] = [];
  const from = performance.now();
  try {
    for (let claimed = 0; claimed < tasks;) {
      const begin = performance.now();
      claimed += (await queue.claim('bench', CLAIM, CLAIM_MS)).length;
      times.push(performance.now() - begin);
    }
    return { times, allMs: performance.now() - from };
  } finally {
    await queue.close();
  }
}

/** Queues so many runs, due by now, oldest first; one in `othersOneIn` is of a tenant that goes on. */
async function fill({ owner }: Bench, namespace: string, tasks: number, othersOneIn = 0): Promise<void> {
  await migrate(owner, { namespace });
  await owner.query(
    `insert into killdrill.task (namespace, id, kind, run, tenant, feature, agent, lineage, plan, admitted_revision, due_at)
     select $1, gen_random_uuid(), 'run', 'run-' || n, case when $3 > 0 and n % nullif($3, 0) = 0 then 'going-on' else 'stopped' end,
       'support', 'agent-' || n % 64, case when n % 3 = 0 then array['root-1', 'root-2'] else '{}' end,
       '[{"capability": "model/chat", "access": "write", "deadlineMs": 1000}]', 0, clock_timestamp() - interval '1 minute' + n * interval '1 microsecond'
     from generate_series(1, $2::integer) as n`,
    [namespace, tasks, othersOneIn],
  );
  await owner.query('vacuum analyze killdrill.task');
}

function common(namespace: string) {
  return { namespace, reason: 'bench', triggeredBy: 'bench', source: 'bench', at: '2026-01-01T00:00:00Z' } as const;
}

function stopText(namespace: string, id: string, queue: QueuePolicy, scope: Scope = 'global', target = '*'): string {
  return canonicalText({ kind: 'stop', ...common(namespace), id, scope, target, mode: 'halt_all', queue });
}

function releaseText(namespace: string, engagement: string): string {
  const id = randomUUID();
  return canonicalText({
    kind: 'release',
    ...common(namespace),
    id,
    scope: 'global',
    target: '*',
    engagements: [engagement],
  });
}
