import { connectWorkerStore, Runtime } from '../src/index.ts';

/** One of the processes that a halt must reach: says when each stop was enforced in it. */
const [, , url = '', namespace = '', name = ''] = process.argv;
const store = await connectWorkerStore({ namespace, registryUrl: url, databaseUrl: url });
const runtime = new Runtime(store, { namespace, incarnation: name });
const seen = new Set<string>();
runtime.registry.onChange((registry) => {
  const at = process.hrtime.bigint();
  for (const { id } of registry.openEngagements()) {
    if (seen.has(id)) continue;
    seen.add(id);
    process.send?.({ id, at: String(at) });
  }
});
process.once('disconnect', () => process.exit(0));
await runtime.ready(15_000);
process.send?.({ ready: true });
