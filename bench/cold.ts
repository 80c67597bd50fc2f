import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import ts from 'typescript';
import { chainHash } from '../src/flip-chain.ts';
import { canonicalText } from '../src/flip-text.ts';
import { SCOPES } from '../src/switch.ts';
import type { Head } from '../src/store/store.ts';
import type { Scope } from '../src/switch.ts';
import type { ColdStart } from './cold-worker.ts';
import { endChild } from './listeners.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

export interface ColdRow {
  readonly open: number;
  /** Milliseconds from the program's first line until the stops are enforced and everything else may go on. */
  readonly fromFirstLine: Summary;
  /** From when the process was asked for, with Node's own start. */
  readonly fromFork: Summary;
  /** Of the first: connected, and version checked, until enforced. */
  readonly fromConnected: Summary;
  /** The same rows by one plain query of the driver's, nobody reading them. */
  readonly plainQuery: Summary;
  /** Checks of a stopped run before that, and those that passed. */
  readonly asked: number;
  readonly passed: number;
  readonly heapMb: number;
}

const BATCH = 2_000;
const NARROW = SCOPES.filter((scope) => scope !== 'global');
const STOPPED = 'target-4';
const PLAIN = `select f.revision, f.hash, f.signature, f.text from killdrill.engagement e
  join killdrill.flip f on f.namespace = e.namespace and f.revision = e.opened_revision
  where e.namespace = $1 and e.closed_revision is null order by f.revision`;

const PUT = `with given as (
    select f, (f ->> 'text')::jsonb as b from jsonb_array_elements($2::jsonb) as f),
  put as (insert into killdrill.flip (namespace, revision, epoch, hash, previous_hash, text, id, kind, scope, target, mode, queue,
      snapshot, at)
    select $1, (f ->> 'revision')::bigint, f ->> 'epoch', f ->> 'hash', f ->> 'previousHash', f ->> 'text', b ->> 'id', 'stop',
      b ->> 'scope', b ->> 'target', b ->> 'mode', b ->> 'queue', pg_current_snapshot(), now() from given)
  insert into killdrill.engagement (namespace, id, opened_revision, scope, target, mode, queue)
  select $1, b ->> 'id', (f ->> 'revision')::bigint, b ->> 'scope', b ->> 'target', b ->> 'mode', b ->> 'queue' from given`;

/** Workers that start while so many narrow stops are open, in processes of their own; what is loaded grows from size to size. */
export async function benchCold(options: {
  readonly url: string;
  readonly namespace: string;
  readonly sizes: readonly number[];
  readonly rounds: number;
}): Promise<readonly ColdRow[]> {
  const { url, namespace, sizes, rounds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-bench-'));
  const program = workerIn(folder);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const rows: ColdRow[] = [];
    let stored = 0;
    for (const open of sizes) {
      await stopMore(client, namespace, stored, open);
      stored = open;
      rows.push(await startCold({ client, program, url, namespace, rounds, open }));
    }
    return rows;
  } finally {
    await client.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startCold(stage: {
  readonly client: pg.Client;
  readonly program: string;
  readonly url: string;
  readonly namespace: string;
  readonly rounds: number;
  readonly open: number;
}): Promise<ColdRow> {
  const { client, program, url, namespace, rounds, open } = stage;
  const starts: Started[] = [];
  const plain: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const start = await startOne(program, [url, namespace, `cold-${open}-${round}`, STOPPED]);
    if (start.open !== open) throw new Error(`a cold worker enforces ${start.open} stops, expected ${open}`);
    const begin = process.hrtime.bigint();
    await client.query({ text: PLAIN, values: [namespace], rowMode: 'array' });
    const plainMs = Number(process.hrtime.bigint() - begin) / 1e6;
    if (round < 0) continue; // what PostgreSQL and the disk cache have not read yet is not the worker's
    starts.push(start);
    plain.push(plainMs);
  }
  const since = (from: (start: (typeof starts)[number]) => bigint): Summary =>
    summarise(starts.map((start) => Number(BigInt(start.enforcedAt) - from(start)) / 1e6));
  return {
    open,
    fromFirstLine: since(({ begunAt }) => BigInt(begunAt)),
    fromFork: since(({ forkedAt }) => forkedAt),
    fromConnected: since(({ connectedAt }) => BigInt(connectedAt)),
    plainQuery: summarise(plain),
    asked: starts.reduce((sum, { asked }) => sum + asked, 0),
    passed: starts.reduce((sum, { passed }) => sum + passed, 0),
    heapMb: summarise(starts.map(({ heapBytes }) => heapBytes / 1e6)).p50,
  };
}

/** The worker as plain JavaScript: a loader would take longer than all that is measured here. */
function workerIn(folder: string): string {
  const path = join(folder, 'cold-worker.mjs');
  const source = readFileSync(new URL('./cold-worker.ts', import.meta.url), 'utf8');
  const { ESNext: module } = ts.ModuleKind;
  const { ES2023: target } = ts.ScriptTarget;
  writeFileSync(path, ts.transpileModule(source, { compilerOptions: { module, target } }).outputText);
  return path;
}

type Started = ColdStart & { readonly forkedAt: bigint };

/** Users start what is built, so that `npm run build` comes first. */
async function startOne(program: string, args: readonly string[]): Promise<Started> {
  const built = new URL('../dist/src/index.js', import.meta.url).href;
  const forkedAt = process.hrtime.bigint();
  const child = fork(program, [built, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  try {
    const [said] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(died)])) as [ColdStart];
    return { ...said, forkedAt };
  } finally {
    await endChild(child);
  }
}

function died(): never {
  throw new Error('a cold worker ended before it enforced what it should; is dist/ built?');
}

/** Puts stops into the record as `flip` would, in few statements: the store's own way takes minutes for as many. What they leave in the queue is swept. */
async function stopMore(client: pg.Client, namespace: string, from: number, to: number): Promise<void> {
  const { rows } = await client.query<Head>('select epoch, hash from killdrill.head where namespace = $1', [namespace]);
  const [{ epoch, hash } = { epoch: '', hash: '' }] = rows;
  let last = hash;
  for (let at = from; at < to; at += BATCH) {
    const flips = Array.from({ length: Math.min(BATCH, to - at) }, (_, nth) => {
      const text = textOf(namespace, at + nth);
      const previousHash = last;
      last = chainHash(previousHash, epoch, at + nth + 1, text);
      return { revision: at + nth + 1, epoch, previousHash, hash: last, text };
    });
    await client.query(PUT, [namespace, JSON.stringify(flips)]);
  }
  await client.query('update killdrill.head set revision = $2, hash = $3 where namespace = $1', [namespace, to, last]);
  await client.query('vacuum analyze');
}

function textOf(namespace: string, at: number): string {
  const scope: Scope = NARROW[at % NARROW.length] ?? 'run';
  return canonicalText({
    ...{ kind: 'stop', namespace, id: `8c1a6f2e-0000-4000-8000-${String(at).padStart(12, '0')}`, scope },
    target: scope === 'capability' ? `write/target-${at}` : `target-${at}`,
    ...{ mode: 'halt_all', queue: 'discard', reason: 'write rate 14 a second, expected at most 2' },
    ...{ triggeredBy: 'detector:write-rate', source: 'alert', at: '2026-01-01T00:00:00.000Z' },
  });
}
