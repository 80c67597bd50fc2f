import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { AlertBus } from '../../src/alerts/alert-bus.ts';
import { AlertExecutor } from '../../src/alerts/alert-executor.ts';
import { readDetectorKeys } from '../../src/alerts/detector-keys.ts';
import type { DetectorKeys } from '../../src/alerts/detector-keys.ts';
import { DEFAULT_SKEW_MS } from '../../src/alerts/judge-alert.ts';
import type { AlertPolicy } from '../../src/alerts/judge-alert.ts';
import { KafkaBus } from '../../src/alerts/kafka-bus.ts';
import { systemClock } from '../../src/clock.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { readOrdinaryFile } from '../../src/ordinary-file.ts';
import type { Registry } from '../../src/registry.ts';
import { openAlertBus } from '../../src/store/postgres/alert-bus.ts';
import { openAlertStore } from '../../src/store/postgres/alert-store.ts';
import type { HostedBus } from './hosted-bus.ts';

const MAX_KEYS_BYTES = 1_000_000;

/** Where alerts come from, who may raise them, and what becomes of them. */
export interface HostedExecutorOptions extends Pick<AlertPolicy, 'queue' | 'unsigned' | 'strictestMode'> {
  readonly keys: DetectorKeys;
  readonly bus: HostedBus;
  /** On Kafka, the executors of one store; the bus's own default where it is not there. */
  readonly group?: string;
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
export function openHostedExecutor({ bus: at, group, ...rules }: HostedExecutorOptions, host: Host) {
  const { connectionString, namespace, registry, sign, onError } = host;
  const { brokers, ...topics } = at;
  const groups = group === undefined ? {} : { group };
  const bus: AlertBus & { close(): Promise<void> } =
    brokers.length === 0
      ? openAlertBus({ connectionString, namespace, ...topics })
      : new KafkaBus({ brokers, member: memberName(), newId: randomUUID, onError, ...topics, ...groups });
  const store = openAlertStore({ connectionString, namespace });
  const policy = { namespace, skewMs: DEFAULT_SKEW_MS, ...rules };
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

/** The same in each life, so that what an earlier one left on the brokers is removed; Kafka takes no other characters. */
function memberName(): string {
  return `serve-${hostname().replaceAll(/[^A-Za-z0-9._-]/g, '-')}`.slice(0, 100);
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
