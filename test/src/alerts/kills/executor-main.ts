import { z } from 'zod';
import { AlertExecutor } from '../../../../src/alerts/alert-executor.ts';
import { readDetectorKeys } from '../../../../src/alerts/detector-keys.ts';
import { systemClock } from '../../../../src/clock.ts';
import { openAlertBus } from '../../../../src/store/postgres/alert-bus.ts';
import { openAlertStore } from '../../../../src/store/postgres/alert-store.ts';
import { followRegistry } from '../following-registry.ts';

/** What a test tells the process. */
export const orderSchema = z.object({
  namespace: z.string(),
  topic: z.string(),
  workerUrl: z.string(),
  flipperUrl: z.string(),
  keys: z.unknown(),
  timings: z.record(z.string(), z.number()),
});
export type ExecutorOrder = z.infer<typeof orderSchema>;

/** An executor as a process of its own; says on stdout, a word a line, what happens to alerts. */
async function main(): Promise<void> {
  const order = orderSchema.parse(JSON.parse(process.env['EXECUTOR_ORDER'] ?? 'null'));
  const { namespace, topic, timings } = order;
  const asFlipper = { connectionString: order.flipperUrl, namespace, timings };
  const { registry } = await followRegistry({ ...asFlipper, connectionString: order.workerUrl });
  const executor = new AlertExecutor({
    bus: openAlertBus({ ...asFlipper, topic }),
    store: openAlertStore(asFlipper),
    ...{ registry, clock: systemClock },
    policy: { namespace, keys: readDetectorKeys(order.keys), skewMs: 5_000, queue: 'discard', unsigned: 'accepted' },
    onEvent: ({ kind }) => process.stdout.write(`${kind}\n`),
    onError: ({ message }) => process.stderr.write(`${message}\n`),
  });
  executor.start();
  process.stdout.write('started\n');
}

await main();
