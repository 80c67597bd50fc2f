import { AlertExecutor, Registry, readDetectorKeys, systemClock } from '../src/index.ts';
import { openAlertStore } from '../src/store/postgres/alert-store.ts';
import { openFlipSource } from '../src/store/postgres/flip-source.ts';
import { Lease } from '../src/lease.ts';
import { StoreFeed } from '../src/propagation/store-feed.ts';
import { openWireBus } from './alert-wire.ts';
import type { AlertWire } from './alert-wire.ts';
import type { Said } from './listeners.ts';

/** An executor as a service of its own: says when it reads, and what becomes of each stop in it. */
export interface ExecutorTold {
  readonly url: string;
  readonly namespace: string;
  readonly wire: AlertWire;
  readonly keys: unknown;
}

const LOOK_MS = 5;
const told = JSON.parse(process.argv[2] ?? 'null') as ExecutorTold;
const { url: connectionString, namespace, wire, keys } = told;

const say = (said: Said): void => void process.send?.(said);
const registry = new Registry(namespace);
const source = openFlipSource({ connectionString, namespace });
const timings = { pollMs: 300, retryMs: 50 };
new StoreFeed({ source, registry, lease: new Lease(systemClock), clock: systemClock, timings }).start();
const executor = new AlertExecutor({
  ...{ bus: openWireBus(wire, told), store: openAlertStore({ connectionString, namespace }), registry },
  clock: systemClock,
  policy: { namespace, keys: readDetectorKeys(keys), skewMs: 5_000, queue: 'discard', unsigned: 'accepted' },
  onEvent: (event) => {
    if (event.kind !== 'held' && event.kind !== 'answered') return;
    say({ [event.kind]: event.trip.flipId, at: String(process.hrtime.bigint()) });
  },
});
process.once('disconnect', () => process.exit(0));
executor.start();
const look = setInterval(() => {
  if (!executor.status().isReading) return;
  clearInterval(look);
  say({ ready: true });
}, LOOK_MS);
