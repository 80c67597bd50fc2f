import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

/** Somebody who stops over HTTP, in a process of their own: `api-load URL KEY ROUNDS PER_SECOND SECONDS`. */

export interface Answered {
  readonly id: string;
  readonly status: number;
  /** From when it was due to its answer. */
  readonly ms: number;
  readonly revision: number;
}

export interface LoadReport {
  readonly alone: readonly number[];
  readonly storm: readonly Answered[];
  /** When the last was answered, milliseconds after it was due. */
  readonly lastLateMs: number;
}

const WARM_UP = 50;
const [url = '', key = '', ...numbers] = process.argv.slice(2);
const [rounds = 0, perSecond = 0, seconds = 0] = numbers.map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

const alone: number[] = [];
for (let round = -WARM_UP; round < rounds; round += 1) {
  const { ms } = await halt(performance.now());
  if (round >= 0) alone.push(ms);
}
const asked: Promise<Answered>[] = [];
const begin = performance.now();
const total = perSecond * seconds;
const dueOf = (nth: number): number => begin + (nth / perSecond) * 1_000;
// Open-loop: what is late is sent at once, and counts from when it was due.
while (asked.length < total) {
  while (asked.length < total && dueOf(asked.length) <= performance.now()) asked.push(halt(dueOf(asked.length)));
  await new Promise((resolve) => setTimeout(resolve, 1));
}
const storm = await Promise.all(asked);
const report: LoadReport = { alone, storm, lastLateMs: performance.now() - dueOf(total) };
process.send?.(report, () => process.exit());

function halt(from: number): Promise<Answered> {
  const id = randomUUID();
  const body = JSON.stringify({ id, scope: 'run', target: id, reason: 'bench' });
  const headers = { 'content-type': 'application/json', 'x-api-key': key, 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/halt`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const { revision = 0 } = JSON.parse(text) as { revision?: number };
        resolve({ id, status: response.statusCode ?? 0, ms: performance.now() - from, revision });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
