import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { describe, inject } from 'vitest';
import { KafkaBus } from '../../../src/alerts/kafka-bus.ts';
import type { KafkaServer } from '../../../harness/environment/environment.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import { describeBusContract } from './alert-bus-contract.ts';
import type { BusHandle, BusTopic } from './bus-world.ts';
import { plainKafka, readLetters, withAdmin } from './kafka-letters.ts';

const FACTS = { partitions: 4, waitMs: 40_000 };
/** Handles of one test at once; each has a door of its own, so that it can be cut off. */
const HANDLES = 6;

const { kafka: why } = inject('infrastructure');

describe.skipIf(why !== null)(`with a broker${why === null ? '' : ` (${why})`}`, () => {
  describeBusContract('Kafka', FACTS, startKind);
});

async function startKind() {
  const broker = await startTestBroker();
  const { kafka } = broker;
  const client = plainKafka([kafka.door('tests').brokers]);
  return { openTopic: () => openTopic(kafka, client), close: () => broker.close() };
}

async function openTopic(kafka: KafkaServer, client: Kafka): Promise<BusTopic> {
  const topics = await kafka.createTopics(`t${randomUUID()}`);
  const { alerts: topic, deadLetters: deadTopic, group } = topics;
  const busAt = (door: string, member: string): KafkaBus =>
    new KafkaBus({ brokers: [kafka.door(door).brokers], topic, deadTopic, group, member, newId: randomUUID });
  const publisher = busAt('publisher', 'publisher');
  let handles = 0;
  const undos: (() => void)[] = [];
  return {
    topic,
    publisher,
    open: async (): Promise<BusHandle> => {
      const door = `handle ${handles++ % HANDLES}`;
      const bus = busAt(door, `process-${handles}`);
      const kill = async (): Promise<void> => {
        // the broker hears nothing of it any more
        const cut = kafka.door(door).proxy?.apply({ kind: 'cut' });
        undos.push(() => cut?.undo());
        await bus.close();
      };
      return { bus, kill, close: () => bus.close() };
    },
    deadLetters: () => readLetters(client, deadTopic),
    forget: (partition, earliest) =>
      withAdmin(client, async (admin) => {
        await admin.fetchTopicOffsets(topic); // kafkajs deletes of topics only that it has looked at
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(earliest) }] });
      }),
    restart: async () => {
      await kafka.kill();
      await kafka.start();
    },
    close: async () => {
      for (const undo of undos) undo();
      await publisher.close();
      await topics.drop();
    },
  };
}
