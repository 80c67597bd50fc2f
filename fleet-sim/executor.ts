import { randomUUID } from 'node:crypto';
import {
  AlertExecutor,
  DEFAULT_SKEW_MS,
  Lease,
  openAlertBus,
  openAlertStore,
  openFlipSource,
  readSigningKey,
  Registry,
  signerOf,
  StoreFeed,
  systemClock,
} from '../src/index.ts';
import type { AlertBus, ExecutorParts } from '../src/index.ts';
import { KafkaBus } from '../src/kafka.ts';
import type { ToldExecutor } from './executor-environment.ts';
import { saidOf } from './executor-event.ts';
import { log, say } from './say.ts';

/** An executor with everything that it holds. */
export interface OpenedExecutor {
  /** Whether it has loaded the store's flips and reads its bus; false if the signal came first. */
  ready(signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

const RETRY_MS = 100;
const READY_LOOK_MS = 5;

/**
 * Starts reading alerts, with a registry that follows the store. It begins at once, also while the store or the broker is
 * away: then it is ready later, and a stop that it reads meanwhile is not durable yet.
 *
 * @throws KilldrillError `KAFKA_OPTIONS` for a name that Kafka does not take
 */
export function openExecutor(told: ToldExecutor, bend: (genuine: ExecutorParts) => ExecutorParts): OpenedExecutor {
  const { namespace, registryUrl, stopsUrl, keys, queue, flipKeys, signingKeyFile } = told;
  const clock = systemClock;
  const onError = (error: Error): void => log(error.message);
  const source = openFlipSource({ connectionString: registryUrl, namespace });
  const registry = new Registry(namespace, { keys: flipKeys });
  const lease = new Lease(clock);
  const timings = { pollMs: lease.leaseMs / 4, retryMs: RETRY_MS };
  const feed = new StoreFeed({ source, registry, lease, clock, timings, onError });
  const store = openAlertStore({ connectionString: stopsUrl, namespace });
  const bus = openBus(told, onError);
  const policy = { namespace, keys, skewMs: DEFAULT_SKEW_MS, queue, unsigned: 'accepted' } as const;
  const onEvent: ExecutorParts['onEvent'] = (event) => say(saidOf(event));
  const sign = signingKeyFile === null ? null : signerOf(readSigningKey(signingKeyFile));
  const executor = new AlertExecutor(bend({ bus, store, registry, policy, clock, onEvent, onError, sign }));
  feed.start();
  executor.start();
  return {
    ready: async (signal) => {
      await Promise.race([feed.ready(), aborted(signal)]);
      while (!signal.aborted && !executor.status().isReading) await pause(READY_LOOK_MS);
      return !signal.aborted;
    },
    close: async () => {
      await executor.close(); // what it held may still be relayed by the feed
      await feed.close();
      await Promise.all([bus.close(), store.close(), source.close()]);
    },
  };
}

function openBus({ bus, namespace, executor }: ToldExecutor, onError: (error: Error) => void) {
  const topics = {
    ...(bus.topic === null ? {} : { topic: bus.topic }),
    ...(bus.deadTopic === null ? {} : { deadTopic: bus.deadTopic }),
  };
  const opened: AlertBus & { close(): Promise<void> } =
    bus.kind === 'postgres'
      ? openAlertBus({ connectionString: bus.url, namespace, ...topics })
      : new KafkaBus({
          ...{ brokers: bus.brokers, member: executor, newId: randomUUID, onError, ...topics },
          ...(bus.group === null ? {} : { group: bus.group }),
        });
  return opened;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(ms, resolve));
}
