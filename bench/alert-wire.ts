import { randomUUID } from 'node:crypto';
import type { AlertBus, AlertPublisher } from '../src/alerts/alert-bus.ts';
import { KafkaBus } from '../src/alerts/kafka-bus.ts';
import { openAlertBus, openAlertPublisher } from '../src/store/postgres/alert-bus.ts';
import type { Opened } from '../src/store/postgres/flip-source.ts';

/** The bus that a bench's processes share, in a form that can be told to another process. */
export type AlertWire =
  | { readonly kind: 'PostgreSQL'; readonly topic: string }
  | {
      readonly kind: 'Kafka';
      readonly broker: string;
      readonly topic: string;
      readonly deadTopic: string;
      readonly group: string;
    };

export interface WireEnd {
  readonly url: string;
  readonly namespace: string;
}

export function openWireBus(wire: AlertWire, { url, namespace }: WireEnd): Opened<AlertBus> {
  return wire.kind === 'Kafka' ? kafkaBus(wire) : openAlertBus({ connectionString: url, namespace, topic: wire.topic });
}

export function openWirePublisher(wire: AlertWire, { url, namespace }: WireEnd): Opened<AlertPublisher> {
  return wire.kind === 'Kafka'
    ? kafkaBus(wire)
    : openAlertPublisher({ connectionString: url, namespace, topic: wire.topic });
}

function kafkaBus({ broker, topic, deadTopic, group }: Extract<AlertWire, { kind: 'Kafka' }>): KafkaBus {
  return new KafkaBus({ brokers: [broker], topic, deadTopic, group, newId: randomUUID });
}
