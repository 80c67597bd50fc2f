import { connectWorkerStore, Runtime } from '../src/index.ts';
import type { WorkerStore } from '../src/index.ts';
import type { Said } from './listeners.ts';

/** One of the processes that a halt must reach: says when each stop was enforced in it, and when it lost its lease. */
const LOOK_MS = 2;
const START_MS = 15_000;
const [, , url = '', namespace = '', name = ''] = process.argv;

const say = (said: Said): void => void process.send?.(said);
const now = (): string => String(process.hrtime.bigint());

const timings = { connectMs: 600, statementMs: 600, answerMs: 800 };
const store = await connect();
const runtime = new Runtime(store, { namespace, incarnation: name });
const seen = new Set<string>();
runtime.registry.onChange((registry) => {
  const at = now();
  for (const { id } of registry.openEngagements()) {
    if (seen.has(id)) continue;
    seen.add(id);
    say({ id, at });
  }
});
process.once('disconnect', () => process.exit(0));
await runtime.ready(15_000);
let verified = true;
setInterval(() => {
  if (runtime.decider.verified() === verified) return;
  verified = !verified;
  say({ verified, at: now() });
}, LOOK_MS);
say({ ready: true });

/** The bounds are those of a round; a dozen processes that start at once may need longer for the first connection. */
async function connect(): Promise<WorkerStore> {
  for (const giveUpMs = performance.now() + START_MS; ;) {
    try {
      return await connectWorkerStore({ namespace, registryUrl: url, databaseUrl: url, timings });
    } catch (error) {
      if (performance.now() > giveUpMs) throw error;
    }
  }
}
