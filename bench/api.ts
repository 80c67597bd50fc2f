import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openControlPlane } from '../harness/cli/control-plane.ts';
import { ApiKeys, keyEntry } from '../src/control/api/api-keys.ts';
import type { LoadReport } from './api-load.ts';
import { endChild, forkBench } from './listeners.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

const KEY = 'bench-stop-key';

export interface ApiBench {
  /** Milliseconds from a request to its answer, one after another: enforced in the API's process and durable. */
  readonly alone: Summary;
  /** The same at a fixed rate, whatever the answers take. */
  readonly storm: Summary;
  /** Of those: not durable when they were answered. */
  readonly provisional: number;
  /** In the record at the end. */
  readonly recorded: number;
  /** The record holds them and nothing else, without a gap. */
  readonly gapless: boolean;
  /** Each has the revision that its answer named. */
  readonly asAnswered: boolean;
  readonly lastLateMs: number;
}

interface ApiBenchOptions {
  readonly url: string;
  readonly namespace: string;
  readonly rounds: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Stops over HTTP from another process, against a control plane of this one. */
export async function benchApi(options: ApiBenchOptions): Promise<ApiBench> {
  const { url: connectionString, namespace, rounds, perSecond, seconds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-bench-'));
  const keys = new ApiKeys([keyEntry('bench', 'stop', KEY)]);
  const errors = new Map<string, number>();
  const plane = await openControlPlane({
    ...{ connectionString, namespace, keys: () => keys, spoolFolder: folder, executor: null },
    ...{ listen: { port: 0, tls: null } },
    onError: ({ message }) => errors.set(message, (errors.get(message) ?? 0) + 1),
  });
  try {
    await plane.ready();
    const load = forkBench(new URL('./api-load.ts', import.meta.url), [
      ...[plane.url, KEY, String(rounds), String(perSecond), String(seconds)],
    ]);
    const [report] = (await once(load, 'message')) as [LoadReport];
    await endChild(load);
    return { ...(await judged(options, report)), lastLateMs: report.lastLateMs };
  } finally {
    await plane.close();
    for (const [message, times] of errors) process.stderr.write(`${times} x ${message}\n`);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function judged(
  { url: connectionString, namespace }: ApiBenchOptions,
  { alone, storm }: LoadReport,
): Promise<Omit<ApiBench, 'lastLateMs'>> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const sql = 'select id, revision::int from killdrill.flip where namespace = $1 order by revision';
  const { rows } = await client.query<{ id: string; revision: number }>(sql, [namespace]);
  await client.end();
  const revisions = new Map(rows.map(({ id, revision }) => [id, revision]));
  return {
    ...{ alone: summarise(alone), storm: summarise(storm.map(({ ms }) => ms)) },
    provisional: storm.filter(({ status }) => status !== 200).length,
    recorded: storm.filter(({ id }) => revisions.has(id)).length,
    gapless: rows.every(({ revision }, nth) => revision === nth + 1) && rows.length === revisions.size,
    asAnswered: storm.every(({ status, id, revision }) => status !== 200 || revisions.get(id) === revision),
  };
}
