import { KilldrillError } from '../../src/errors.ts';
import { resolveKafkaOptions } from '../../src/alerts/kafka-options.ts';
import { kafkaSecurity } from './kafka-security.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import { usage } from './usage.ts';

/** Where alerts travel. */
export interface HostedBus extends KafkaSecurity {
  /** Empty: PostgreSQL is the bus. */
  readonly brokers: readonly string[];
  /** The bus's own default where it is not there. */
  readonly topic?: string;
}

export interface BusFlags {
  readonly brokers?: string;
  readonly topic?: string;
  readonly group?: string;
}

const BROKER = /^[^,\s:]+:\d{1,5}$|^\[[\d:A-Fa-f]+\]:\d{1,5}$/;

/**
 * The bus that a command was given; how it is reached comes from the environment.
 *
 * @throws KilldrillError `USAGE`
 */
export function hostedBus({ brokers, topic, group }: BusFlags, environment = process.env): HostedBus {
  const named = topic === undefined ? {} : { topic };
  if (topic === '') throw usage("--topic is ''; expected the name of a topic");
  if (brokers === undefined) return { brokers: [], ...named };
  const list = brokers.split(',').map((one) => one.trim());
  const wrong = list.find((one) => !BROKER.test(one));
  if (wrong !== undefined) throw usage(`--brokers names '${wrong}'; expected host:port, several with commas`);
  try {
    resolveKafkaOptions({ brokers: list, newId: () => '', ...named, ...(group === undefined ? {} : { group }) });
  } catch (error) {
    throw error instanceof KilldrillError ? usage(`--topic, --group: ${error.message}`) : error;
  }
  return { brokers: list, ...kafkaSecurity(environment), ...named };
}
