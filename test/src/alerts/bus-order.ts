import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AlertBus, AlertPublisher } from '../../../src/alerts/alert-bus.ts';
import { openAlertBus, openAlertPublisher } from '../../../src/store/postgres/alert-bus.ts';
import type { Opened } from '../../../src/store/postgres/flip-source.ts';
import type { StoreOptions } from '../../../src/store/postgres/options.ts';
import type { DrillTopics } from '../../../harness/environment/environment.ts';

/** Which bus a test's processes are to take, in a form that can be told to another process. */
export const busOrderSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('postgres'), topic: z.string() }),
  z.object({
    kind: z.literal('kafka'),
    brokers: z.array(z.string()),
    topic: z.string(),
    deadTopic: z.string(),
    group: z.string(),
  }),
]);
export type BusOrder = z.infer<typeof busOrderSchema>;

export function onKafka(broker: string, { alerts: topic, deadLetters: deadTopic, group }: DrillTopics): BusOrder {
  return { kind: 'kafka', brokers: [broker], topic, deadTopic, group };
}

/** The executor's side; `store` is a flipper's, for the bus that is a part of it. */
export async function openBusOf(order: BusOrder, store: StoreOptions, member: string): Promise<Opened<AlertBus>> {
  return order.kind === 'kafka' ? openKafka(order, member) : openAlertBus({ ...store, topic: order.topic });
}

/** The detector's side. */
export async function openPublisherOf(order: BusOrder, store: StoreOptions): Promise<Opened<AlertPublisher>> {
  return order.kind === 'kafka' ? openKafka(order, 'publisher') : openAlertPublisher({ ...store, topic: order.topic });
}

async function openKafka({ brokers, ...names }: Extract<BusOrder, { kind: 'kafka' }>, member: string) {
  // later on: a process that does without Kafka starts without its client
  const { KafkaBus } = await import('../../../src/alerts/kafka-bus.ts');
  const { topic, deadTopic, group } = names;
  return new KafkaBus({ brokers, topic, deadTopic, group, member, newId: randomUUID });
}
