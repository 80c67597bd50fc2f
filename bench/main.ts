import { randomBytes } from 'node:crypto';
import Table from 'cli-table3';
import pg from 'pg';
import { openFlipStore } from '../src/store/postgres/flip-store.ts';
import { POLL_MS } from '../src/propagation/file.ts';
import { migrate } from '../src/store/postgres/migrate.ts';
import { Brackets } from '../harness/drill/brackets.ts';
import { chooseDrillFolder, makeDrillFolder } from '../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../harness/environment/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../harness/environment/embedded-postgres.ts';
import { startGuardian } from '../harness/environment/guardian.ts';
import { benchApi } from './api.ts';
import { printAlertBuses } from './alert-buses.ts';
import { benchChecks } from './check.ts';
import { benchCold } from './cold.ts';
import { benchDetectors } from './detect.ts';
import { benchFence } from './fence.ts';
import { benchFile } from './file.ts';
import { benchHalts } from './halt.ts';
import { benchInFlight } from './in-flight.ts';
import { benchQueue } from './queue.ts';
import type { Summary } from './statistics.ts';
import { summaryTable } from './summary-table.ts';
import { benchStoreLoss } from './store-loss.ts';

/**
 * `npm run bench [checks|detect|in-flight|file|fence|halt|api|cold|queue|store-loss|alerts|alerts-postgres|alerts-kafka …]`: medians with n, peers in the same run, goals beside them.
 * Figures are of this machine at this moment; the ratios are what carries over.
 */

const HALT_ROUNDS = 2_000;
const API = { rounds: 2_000, perSecond: 500, seconds: 10 };
const COLD = { sizes: [100, 10_000, 100_000], rounds: 11 };
const LOSS_ROUNDS = 20;
const FILE_ROUNDS = 200;
const PROCESSES = 8;
const NAMESPACE = 'bench';
/** Over both buses, and over one of them. */
const ALERTS = ['alerts', 'alerts-postgres', 'alerts-kafka'] as const;

const parts = process.argv.slice(2);
const wants = (part: string): boolean => parts.length === 0 || parts.includes(part);

async function main(): Promise<void> {
  if (wants('checks')) await printChecks();
  if (wants('detect')) printDetectors();
  if (wants('in-flight')) await printInFlight();
  if (wants('file')) await printFile();
  if (!['fence', 'halt', 'api', 'cold', 'queue', 'store-loss', ...ALERTS].some(wants)) return;
  await withServer(async (server) => {
    if (wants('fence')) await printFence(server);
    if (wants('halt')) await printHalts(server);
    if (wants('api')) await printApi(server);
    if (wants('cold')) await printCold(server);
    if (wants('queue')) await printQueue(server);
    if (wants('store-loss')) await printStoreLoss(server);
    if (ALERTS.some(wants)) {
      const wanted = (['PostgreSQL', 'Kafka'] as const).filter(
        (_, at) => wants('alerts') || wants(ALERTS[at + 1] ?? ''),
      );
      const newDatabase = (name: string): Promise<string> => prepare(server, name);
      await printAlertBuses({
        postgres: server,
        newDatabase,
        namespace: NAMESPACE,
        processes: PROCESSES,
        wanted,
        print,
      });
    }
  });
}

async function printChecks(): Promise<void> {
  const rows = await benchChecks();
  const check = rows[0]?.ns ?? Number.NaN;
  const table = new Table({
    head: ['a check before a call', 'ns', 'x check', 'rounds x calls'],
    style: { head: [], border: [] },
  });
  for (const { what, ns, rounds, perRound } of rows) {
    table.push([what, ns.toFixed(ns < 100 ? 1 : 0), (ns / check).toFixed(1), `${rounds} x ${perRound}`]);
  }
  print(
    'Checks (median of rounds; goal: check at most 120 ns, cockatiel at least 5x, opossum at least 10x it; by strings at most 250 ns with 10,000 open; latched refusal at most 2,000 ns)',
    table.toString(),
  );
}

function printDetectors(): void {
  const table = new Table({ head: ['an observation', 'ns', 'rounds x calls'], style: { head: [], border: [] } });
  for (const { what, ns, rounds, perRound } of benchDetectors()) {
    table.push([what, ns.toFixed(0), `${rounds} x ${perRound}`]);
  }
  print('Detectors (median of rounds)', table.toString());
}

async function printInFlight(): Promise<void> {
  const { calls, rows, bare } = await benchInFlight();
  const table = summaryTable([
    ...rows.flatMap(({ runs, abort, lastAbort, blocked }): [string, Summary][] => {
      const of = `${runs} runs x ${calls / runs}`;
      return [
        [`${of}: trip to a call’s abort`, abort],
        [`${of}: trip to last abort`, lastAbort],
        [`${of}: event loop blocked`, blocked],
      ];
    }),
    ['as many bare AbortControllers', bare],
  ]);
  print(`${calls} calls in flight, ms (goal: aborts p99 at most 10, blocked at most 50)`, table);
}

async function printFile(): Promise<void> {
  const { byHand, byProgram } = await benchFile({ processes: PROCESSES, rounds: FILE_ROUNDS });
  const table = summaryTable([
    [`an edit by hand to last of ${PROCESSES} processes`, byHand],
    ['a stop by a program, fsync included', byProgram],
  ]);
  print(`State file, ms (poll bound ${POLL_MS} ms; goal: an edit by hand within 300 in every round)`, table);
}

async function printFence(server: EmbeddedPostgres): Promise<void> {
  const { fencedPerSecond, unfencedPerSecond, ratio, processes, batch } = await benchFence({
    adminUrl: urlOf(server, 'postgres'),
  });
  const k = (value: number): string => `${(value / 1_000).toFixed(1)} k/s`;
  const table = new Table({
    head: ['journal', 'median', 'interval of the median', 'n'],
    style: { head: [], border: [] },
  });
  table.push([
    'fenced',
    k(fencedPerSecond.median),
    `${k(fencedPerSecond.low)} to ${k(fencedPerSecond.high)}`,
    fencedPerSecond.n,
  ]);
  table.push([
    'not fenced',
    k(unfencedPerSecond.median),
    `${k(unfencedPerSecond.low)} to ${k(unfencedPerSecond.high)}`,
    unfencedPerSecond.n,
  ]);
  table.push(['ratio', ratio.median.toFixed(3), `${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}`, ratio.n]);
  print(
    `Intents: ${processes} processes, batches of ${batch}, ABBA pairs (goal: at least 50 k/s fenced, ratio at least 0.85)`,
    table.toString(),
  );
}

async function printHalts(server: EmbeddedPostgres): Promise<void> {
  const workerUrl = await prepare(server, 'bench_halt');
  const store = openFlipStore({ connectionString: workerUrl, namespace: NAMESPACE });
  try {
    const { lastOf, durable, processes } = await benchHalts({
      store,
      workerUrl,
      namespace: NAMESPACE,
      processes: PROCESSES,
      rounds: HALT_ROUNDS,
    });
    const table = summaryTable([
      [`request to last of ${processes} processes`, lastOf],
      ['request to durable', durable],
    ]);
    print('Halts, ms (goal: last of 8 p50 at most 10, p99 at most 30)', table);
  } finally {
    await store.close();
  }
}

async function printApi(server: EmbeddedPostgres): Promise<void> {
  const found = await benchApi({ url: await prepare(server, 'bench_api'), namespace: NAMESPACE, ...API });
  const { recorded, provisional, gapless, asAnswered, lastLateMs } = found;
  const { perSecond, seconds } = API;
  const table = summaryTable([
    ['POST /halt to durable and enforced, one after another', found.alone],
    [`the same at ${perSecond} stops a second for ${seconds} s`, found.storm],
  ]);
  print(
    `Control API, ms (goal: p50 at most 5, p99 at most 25; in the storm ${recorded} of ${perSecond * seconds} on record, ${provisional} not durable when answered, gapless ${String(gapless)}, answers as recorded ${String(asAnswered)}, the last answered ${lastLateMs.toFixed(0)} ms after it was due)`,
    table,
  );
}

async function printCold(server: EmbeddedPostgres): Promise<void> {
  const found = await benchCold({ url: await prepare(server, 'bench_cold'), namespace: NAMESPACE, ...COLD });
  const table = summaryTable(
    found.flatMap(({ open, fromFirstLine, fromFork, fromConnected, plainQuery }): [string, Summary][] => [
      [`${open} open: a worker's first line to enforced`, fromFirstLine],
      ['  its process asked for to enforced', fromFork],
      ['  connected to enforced', fromConnected],
      ['  the same rows by a plain query, unread', plainQuery],
    ]),
  );
  const passed = found.map(({ asked, passed: let_ }) => `${let_} of ${asked}`).join(', ');
  const heap = found.map(({ heapMb }) => heapMb.toFixed(0)).join(', ');
  print(
    `Cold start, ms (goal: 300, 500, 1,500 for 100, 10,000, 100,000; checks of a stopped run that passed before: ${passed}; heap ${heap} MB)`,
    table,
  );
}

async function printQueue(server: EmbeddedPostgres): Promise<void> {
  const { tasks, none, full, ratio, whileSwept, sweeps, others } = await benchQueue(
    await prepare(server, 'bench_queue'),
  );
  const flips = summaryTable([
    ['stop durable, 0 tasks queued', none],
    [`stop durable, ${tasks} tasks queued in its scope`, full],
    ['the same while another process sweeps', whileSwept],
  ]);
  print(`Stops over a queue, ms (goal: ratio at most 1.5; here ${ratio.toFixed(2)}, median of pairs)`, flips);
  const table = new Table({
    head: ['sweep', 'tasks', 'a second', 'batch p50 ms', 'max', 'batches'],
    style: { head: [], border: [] },
  });
  for (const { what, tasks: swept, perSecond, batch } of sweeps)
    table.push([what, swept, perSecond.toFixed(0), batch.p50.toFixed(1), batch.max.toFixed(1), batch.n]);
  print('Sweeps, one process, one after another (goal: at least 20,000 tasks a second)', table.toString());
  const { claimMs, allMs, aloneMs, tasks: left } = others;
  print(
    `Claims of ${left} tasks of another tenant among ${tasks} that wait to be swept, one sweeper beside: all within ${allMs.toFixed(0)} ms of the stop (alone in the queue ${aloneMs.toFixed(0)} ms)`,
    summaryTable([['a claim', claimMs]]),
  );
}

async function printStoreLoss(server: EmbeddedPostgres): Promise<void> {
  const workerUrl = await prepare(server, 'bench_loss');
  const { lastRefused, lastBack, processes } = await benchStoreLoss({
    postgres: server,
    workerUrl,
    namespace: NAMESPACE,
    processes: PROCESSES,
    rounds: LOSS_ROUNDS,
  });
  const table = summaryTable([
    [`kill -9 of PostgreSQL to last of ${processes} refusing`, lastRefused],
    ['its return to last verified again', lastBack],
  ]);
  print('Store loss, ms (goal: refusing within lease 1,200 + abort 300 in every round, so max at most 1,500)', table);
}

async function prepare(server: EmbeddedPostgres, database: string): Promise<string> {
  await withClient(urlOf(server, 'postgres'), (client) => client.query(`create database ${database}`));
  const url = urlOf(server, database);
  await withClient(url, (client) => migrate(client, { namespace: NAMESPACE }));
  return url;
}

async function withClient(connectionString: string, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function urlOf({ socketFolder, superuser }: EmbeddedPostgres, database: string): string {
  return `postgres://${superuser.user}:${superuser.password}@${encodeURIComponent(socketFolder)}:5432/${database}`;
}

async function withServer(use: (server: EmbeddedPostgres) => Promise<void>): Promise<void> {
  const brackets = new Brackets();
  const folder = chooseDrillFolder();
  try {
    const guardian = await startGuardian({ folder });
    brackets.add(async () => void (await guardian.done()));
    makeDrillFolder(folder);
    const server = await startEmbeddedPostgres({
      folder,
      superuserPassword: randomBytes(16).toString('hex'),
      onStarted: (pid) => guardian.watch(pid),
    });
    brackets.add(() => server.stop());
    await use(server);
  } finally {
    await brackets.close();
  }
}

function print(title: string, body: string): void {
  process.stdout.write(`\n${title}\n${body}\n`);
}

await main();
