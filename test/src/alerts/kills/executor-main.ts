import { z } from 'zod';
import { AlertExecutor } from '../../../../src/alerts/alert-executor.ts';
import { readDetectorKeys } from '../../../../src/alerts/detector-keys.ts';
import { systemClock } from '../../../../src/clock.ts';
import { openAlertStore } from '../../../../src/store/postgres/alert-store.ts';
import { busOrderSchema, openBusOf } from '../bus-order.ts';
import { followFrom } from '../following-registry.ts';

/** What a test tells the process. */
export const orderSchema = z.object({
  namespace: z.string(),
  bus: busOrderSchema,
  /** This executor's name on the bus. */
  member: z.string(),
  workerUrl: z.string(),
  flipperUrl: z.string(),
  keys: z.unknown(),
  timings: z.record(z.string(), z.number()),
});
export type ExecutorOrder = z.infer<typeof orderSchema>;

const LOOK_MS = 5;
const say = (word: string): void => void process.stdout.write(`${word}\n`);

/** An executor as a process of its own; says on stdout, a word a line, how far it is and what happens to alerts. */
async function main(): Promise<void> {
  say('imported');
  const order = orderSchema.parse(JSON.parse(process.env['EXECUTOR_ORDER'] ?? 'null'));
  const { namespace, timings } = order;
  const asFlipper = { connectionString: order.flipperUrl, namespace, timings };
  const bus = await openBusOf(order.bus, asFlipper, order.member);
  // Not waited for: what is stopped before the registry has loaded is kept by it.
  const { registry, following } = followFrom({ ...asFlipper, connectionString: order.workerUrl });
  following.then(() => say('loaded')).catch(() => undefined);
  const executor = new AlertExecutor({
    ...{ bus, store: openAlertStore(asFlipper), registry, clock: systemClock },
    policy: { namespace, keys: readDetectorKeys(order.keys), skewMs: 5_000, queue: 'discard', unsigned: 'accepted' },
    onEvent: ({ kind }) => say(kind),
    onError: ({ message }) => process.stderr.write(`${message}\n`),
  });
  executor.start();
  const look = setInterval(() => {
    if (!executor.status().isReading) return;
    clearInterval(look);
    say('reading');
  }, LOOK_MS);
}

await main();
