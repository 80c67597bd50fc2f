import { ed25519Seal, Registry, StateFileFeed, systemClock } from '../src/index.ts';
import { createPublicKey } from 'node:crypto';
import type { Said } from './listeners.ts';

/** One of the processes that an edit by hand must reach: says when each stop was enforced in it. */
const [, , path = '', publicKey = ''] = process.argv;
const say = (said: Said): void => void process.send?.(said);

const registry = new Registry('bench');
const seen = new Set<string>();
registry.onChange(() => {
  const at = String(process.hrtime.bigint());
  for (const { id } of registry.openEngagements()) {
    if (seen.has(id)) continue;
    seen.add(id);
    say({ id, at });
  }
});
const seal = ed25519Seal([createPublicKey(publicKey)]);
const feed = new StateFileFeed({ path, seal }, { registry, clock: systemClock, namespace: 'bench', endedBy: 'file' });
feed.start();
process.once('disconnect', () => process.exit(0));
await feed.ready();
say({ ready: true });
