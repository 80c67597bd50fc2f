import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { AlertBus } from '../../src/alerts/alert-bus.ts';
import { AlertExecutor } from '../../src/alerts/alert-executor.ts';
import { readDetectorKeys } from '../../src/alerts/detector-keys.ts';
import type { DetectorKeys } from '../../src/alerts/detector-keys.ts';
import { DEFAULT_SKEW_MS } from '../../src/alerts/judge-alert.ts';
import { KafkaBus } from '../../src/alerts/kafka-bus.ts';
import { systemClock } from '../../src/clock.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { readOrdinaryFile } from '../../src/ordinary-file.ts';
import type { Registry } from '../../src/registry.ts';
import { openAlertBus } from '../../src/store/postgres/alert-bus.ts';
import { openAlertStore } from '../../src/store/postgres/alert-store.ts';

const MAX_KEYS_BYTES = 1_000_000;

/** Where alerts come from, and who may raise them. */
export interface HostedExecutorOptions {
  readonly keys: DetectorKeys;
  /** Empty: PostgreSQL is the bus. */
  readonly brokers: readonly string[];
  /** Null for the bus's own default. */
  readonly topic: string | null;
}

interface Host {
  readonly connectionString: string;
  readonly namespace: string;
  readonly registry: Registry;
  /** Signs the stops of alerts; null for unsigned ones. */
  readonly sign: ((text: string) => string) | null;
  readonly onError: (error: Error) => void;
}

/** An executor in the API's process, with that one's registry. */
export function openHostedExecutor({ keys, brokers, topic }: HostedExecutorOptions, host: Host) {
  const { connectionString, namespace, registry, sign, onError } = host;
  const topics = topic === null ? {} : { topic };
  const bus: AlertBus & { close(): Promise<void> } =
    brokers.length === 0
      ? openAlertBus({ connectionString, namespace, ...topics })
      : new KafkaBus({ brokers, member: `serve-${hostname()}-${process.pid}`, newId: randomUUID, onError, ...topics });
  const store = openAlertStore({ connectionString, namespace });
  const policy = { namespace, keys, skewMs: DEFAULT_SKEW_MS, queue: 'discard', unsigned: 'accepted' } as const;
  const executor = new AlertExecutor({ bus, store, registry, policy, clock: systemClock, sign, onError });
  return {
    status: () => executor.status(),
    start: () => executor.start(),
    close: async () => {
      await executor.close();
      await Promise.all([bus.close(), store.close()]);
    },
  };
}

/**
 * Reads a file of detector keys.
 *
 * @throws KilldrillError `DETECTOR_KEYS_INVALID` naming the file and what is wrong
 */
export function readDetectorKeyFile(path: string): DetectorKeys {
  try {
    return readDetectorKeys(jsonIn(readOrdinaryFile(path, MAX_KEYS_BYTES)));
  } catch (cause) {
    throw new KilldrillError('DETECTOR_KEYS_INVALID', `${path}: ${messageOf(cause)}`, { cause });
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON'); // the parser's own words would quote it, and it may be another file than was meant
  }
}
