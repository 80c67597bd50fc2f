import type { KafkaConfig } from 'kafkajs';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';

/** Bounds of a Kafka bus, milliseconds. Chosen for stops: something that hangs is to be noticed, not to be waited for. */
export interface KafkaTimings {
  /** For one connection. */
  readonly connectMs: number;
  /** For one request's answer. */
  readonly requestMs: number;
  /** For one call of the port, whatever it takes. */
  readonly callMs: number;
  /** For joining. A broker that lets a fresh group wait (`group.initial.rebalance.delay.ms`, 3 s by default) is within it. */
  readonly joinMs: number;
  /** After so long without a heartbeat the broker takes a member for dead; a broker's least is 6,000 by default. */
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  /** Longest wait of an idle fetch, and so for the end of a session. What arrives meanwhile is answered at once. */
  readonly fetchWaitMs: number;
  /** A delivery that takes longer pauses its partition, so that the others are read on. */
  readonly deliverMs: number;
  /** A session's orderly end; then its connections are torn down. */
  readonly closeMs: number;
  /** New partitions are noticed within it. */
  readonly metadataMs: number;
}

export const KAFKA_TIMINGS: KafkaTimings = {
  connectMs: 1_000,
  requestMs: 2_000,
  callMs: 4_000,
  joinMs: 9_000,
  sessionMs: 6_000,
  heartbeatMs: 500,
  fetchWaitMs: 250,
  deliverMs: 20,
  closeMs: 1_500,
  metadataMs: 10_000,
};

export const DEFAULT_ALERTS_TOPIC = 'killdrill.alerts';
const DEFAULT_GROUP = 'killdrill.executor';

/** Where a Kafka cluster is, and how its clients prove who they are. */
export interface KafkaCluster {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: KafkaConfig['sasl'];
}

export interface KafkaBusOptions extends KafkaCluster {
  /** Default `killdrill.alerts`. */
  readonly topic?: string;
  /** Default: the topic's name and `.dead`. */
  readonly deadTopic?: string;
  /**
   * The executors of one store. Its consumer groups' names begin with it; positions that are committed there are a hint for
   * all of them while the store is away. Default `killdrill.executor`; two stores on one cluster need two.
   */
  readonly group?: string;
  /** This executor among them; its own old consumer groups are deleted. Default `executor`. */
  readonly member?: string;
  /** Makes names that nobody had before, such as `randomUUID`. */
  readonly newId: () => string;
  readonly clock?: Clock;
  readonly timings?: Partial<KafkaTimings>;
  /** Told of what hurts nobody at once: an old group that could not be deleted, a hint that could not be read. */
  readonly onError?: (error: Error) => void;
}

/** The same with everything decided. */
export interface KafkaSettings {
  readonly cluster: KafkaCluster;
  readonly topic: string;
  readonly deadTopic: string;
  readonly group: string;
  readonly member: string;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly timings: KafkaTimings;
  readonly onError: (error: Error) => void;
}

/** What Kafka takes as the name of a topic; a group may be called more, but needs no more. */
const NAME = /^[A-Za-z0-9._-]{1,200}$/;

/** @throws KilldrillError `KAFKA_OPTIONS` for a name that Kafka does not take, or without a broker. */
export function resolveKafkaOptions(options: KafkaBusOptions): KafkaSettings {
  const { brokers, ssl, sasl, newId, clock = systemClock, timings } = options;
  const { topic = DEFAULT_ALERTS_TOPIC, group = DEFAULT_GROUP, member = 'executor', onError } = options;
  const { deadTopic = `${topic}.dead` } = options;
  for (const [what, name] of Object.entries({ topic, deadTopic, group, member })) {
    if (!NAME.test(name) || name === '.' || name === '..')
      throw invalid(`${what} is '${name}'; expected 1 to 200 of a-z, A-Z, 0-9, '.', '_' and '-'`);
  }
  if (topic === deadTopic)
    throw invalid(`topic and deadTopic are both '${topic}'; dead letters need a topic of their own`);
  if (brokers.length === 0) throw invalid('brokers is empty; expected host:port at least once');
  return {
    cluster: { brokers, ...(ssl === undefined ? {} : { ssl }), ...(sasl === undefined ? {} : { sasl }) },
    ...{ topic, deadTopic, group, member, newId, clock },
    timings: { ...KAFKA_TIMINGS, ...timings },
    onError: onError ?? (() => undefined),
  };
}

function invalid(found: string): KilldrillError {
  return new KilldrillError('KAFKA_OPTIONS', `of the Kafka bus, ${found}`);
}
