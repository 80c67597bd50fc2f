import { Partitioners } from 'kafkajs';
import type { Message, Producer } from 'kafkajs';
import { Kept, openKafka } from './kafka-client.ts';
import { KAFKA_TIMINGS } from './kafka-options.ts';
import type { KafkaCluster, KafkaTimings } from './kafka-options.ts';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import type { FlipRecord } from '../store/store.ts';
import type { FlipSink } from '../control/sinks/flip-sink.ts';
import { flipLine } from '../control/sinks/flip-line.ts';

export interface KafkaSinkOptions extends KafkaCluster {
  /** It has to be there. */
  readonly topic: string;
  /** Key of each message: flips of one namespace keep their order, since they go to one partition. */
  readonly namespace: string;
  readonly clock?: Clock;
  readonly timings?: Partial<KafkaTimings>;
}

/** Of one request; a broker takes about a mebibyte by default. */
const REQUEST_BYTES = 512 * 1_024;

/**
 * Publishes each flip to a topic, as a JSON object: taken once every replica that is in sync has it. One request at a time, so
 * that none overtakes another.
 *
 * @throws KilldrillError `SINK_INVALID` for a topic that Kafka cannot have, or without a broker.
 */
export function kafkaSink(options: KafkaSinkOptions): FlipSink & { close(): void } {
  const { topic, namespace, brokers, clock = systemClock } = options;
  const timings = { ...KAFKA_TIMINGS, ...options.timings };
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic) || topic === '.' || topic === '..') {
    throw invalid(`a topic is '${topic.slice(0, 80)}'; expected 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'`);
  }
  if (brokers.length === 0) throw invalid(`no broker is named for the topic '${topic}'; expected host:port`);
  const kept = new Kept<Producer>({
    ...{ clock, callMs: timings.callMs, brokers, open: () => openKafka(options, timings, 0) },
    connect: async (kafka) => {
      const producer = kafka.producer({
        ...{ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false },
        retry: { retries: 0 },
      });
      await producer.connect();
      return producer;
    },
  });
  return {
    name: `kafka ${topic}`,
    take: async (flips, signal) => {
      for (const messages of requestsOf(flips, namespace)) {
        signal.throwIfAborted();
        await kept.use(`publishing to ${topic}`, (producer) => producer.send({ topic, acks: -1, messages }));
      }
    },
    close: () => kept.close(),
  };
}

function requestsOf(flips: readonly FlipRecord[], key: string): readonly Message[][] {
  const requests: Message[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const flip of flips) {
    const value = flipLine(flip);
    const size = Buffer.byteLength(value);
    if (bytes + size > REQUEST_BYTES) {
      requests.push([]);
      bytes = 0;
    }
    requests.at(-1)?.push({ key, value });
    bytes += size;
  }
  return requests;
}

function invalid(what: string): KilldrillError {
  return new KilldrillError('SINK_INVALID', what);
}
