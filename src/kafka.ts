/**
 * Alerts and flips on Kafka: `import { KafkaBus } from 'killdrill/kafka'`. Apart from the rest, so that an agent that does without does
 * not load a client of it.
 */
export { KafkaBus } from './alerts/kafka-bus.ts';
export type { KafkaBusOptions, KafkaCluster, KafkaTimings } from './alerts/kafka-options.ts';
export { kafkaSink } from './alerts/kafka-sink.ts';
export type { KafkaSinkOptions } from './alerts/kafka-sink.ts';
export { openKafkaAdmin } from './alerts/kafka-topics.ts';
export type { AlertTopics, KafkaAdmin } from './alerts/kafka-topics.ts';
