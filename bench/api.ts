import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ApiKeys, keyEntry } from '../src/control/api/api-keys.ts';
import { openControlPlane } from '../harness/cli/control-plane.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

const KEY = 'bench-stop-key';
const WARM_UP = 50;

export interface ApiBench {
  /** Milliseconds from a request to its answer 200, one after another: enforced in the API's process and durable. */
  readonly alone: Summary;
  /** The same at a fixed rate, whatever the answers take. */
  readonly storm: Summary;
  readonly storm202: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** Flips of the storm in the record; and whether their revisions are gapless and in the order of the answers. */
  readonly recorded: number;
  readonly gapless: boolean;
  readonly inOrder: boolean;
  /** When the last was answered, milliseconds after the last was sent. */
  readonly lastLateMs: number;
}

/** Stops over HTTP against a control plane of this process. */
export async function benchApi(options: {
  readonly url: string;
  readonly namespace: string;
  readonly rounds: number;
  readonly perSecond: number;
  readonly seconds: number;
}): Promise<ApiBench> {
  const { url: connectionString, namespace, rounds, perSecond, seconds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-bench-'));
  const keys = new ApiKeys([keyEntry('bench', 'stop', KEY)]);
  const plane = await openControlPlane({
    ...{ connectionString, namespace, keys: () => keys, spoolFolder: folder, executor: null },
    ...{ listen: { port: 0, tls: null }, onError: (error) => process.stderr.write(`${error.message}\n`) },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  try {
    await plane.ready();
    const alone: number[] = [];
    for (let round = -WARM_UP; round < rounds; round += 1) {
      const { ms } = await halt(plane.url, agent);
      if (round >= 0) alone.push(ms);
    }
    return { alone: summarise(alone), ...(await storm(plane.url, agent, options)), perSecond, seconds };
  } finally {
    agent.destroy();
    await plane.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Answered {
  readonly id: string;
  readonly status: number;
  readonly ms: number;
  readonly sentAt: number;
  readonly revision: number;
}

async function storm(
  url: string,
  agent: Agent,
  { url: connectionString, namespace, perSecond, seconds }: Parameters<typeof benchApi>[0],
) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const count = 'select count(*)::int as n from killdrill.flip where namespace = $1';
  const before = Number((await client.query<{ n: number }>(count, [namespace])).rows[0]?.n);
  const asked: Promise<Answered>[] = [];
  const begin = performance.now();
  // Open-loop: what is late is sent at once, and counts from when it was due.
  while (asked.length < perSecond * seconds) {
    const due = ((performance.now() - begin) / 1_000) * perSecond;
    while (asked.length < Math.min(due, perSecond * seconds)) {
      const dueAt = begin + (asked.length / perSecond) * 1_000;
      asked.push(halt(url, agent, dueAt));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const sent = performance.now();
  const answers = await Promise.all(asked);
  const lastLateMs = performance.now() - sent;
  const { rows } = await client.query<{ id: string; revision: number }>(
    'select id, revision::int from killdrill.flip where namespace = $1 and revision > $2 order by revision',
    [namespace, before],
  );
  await client.end();
  const revisions = new Map(rows.map(({ id, revision }) => [id, revision]));
  const ofOurs = answers.map(({ id }) => revisions.get(id) ?? 0);
  return {
    storm: summarise(answers.map(({ ms }) => ms)),
    storm202: answers.filter(({ status }) => status !== 200).length,
    recorded: ofOurs.filter((revision) => revision > 0).length,
    gapless: rows.every(({ revision }, nth) => revision === before + nth + 1) && rows.length === answers.length,
    inOrder: answers.every(({ status, id, revision }) => status !== 200 || revisions.get(id) === revision),
    lastLateMs,
  };
}

function halt(url: string, agent: Agent, from = performance.now()): Promise<Answered> {
  const id = randomUUID();
  const body = JSON.stringify({ id, scope: 'run', target: id, reason: 'bench' });
  const headers = { 'content-type': 'application/json', 'x-api-key': KEY, 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/halt`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const { revision = 0 } = JSON.parse(text) as { revision?: number };
        resolve({ id, status: response.statusCode ?? 0, ms: performance.now() - from, sentAt: from, revision });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
