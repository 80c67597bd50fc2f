import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin, IHeaders } from 'kafkajs';
import { describe, inject } from 'vitest';
import type { DeadLetter } from '../../../src/alerts/alert-bus.ts';
import { KafkaBus } from '../../../src/alerts/kafka-bus.ts';
import type { KafkaServer } from '../../../harness/environment/environment.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import { describeBusContract } from './alert-bus-contract.ts';
import type { BusHandle, BusTopic } from './bus-world.ts';

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
  const client = new Kafka({ brokers: [kafka.door('tests').brokers], logLevel: logLevel.NOTHING });
  return { openTopic: () => openTopic(kafka, client), close: () => broker.close() };
}

/** A new one each time: it goes on asking for every topic that it has ever looked at, also once that is deleted. */
async function withAdmin<T>(client: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
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

/** Everything that the topic holds now. */
async function readLetters(client: Kafka, topic: string): Promise<readonly DeadLetter[]> {
  const [range] = await withAdmin(client, (admin) => admin.fetchTopicOffsets(topic));
  const end = Number(range?.high ?? 0);
  const letters: DeadLetter[] = [];
  if (end === 0) return letters;
  const consumer = client.consumer({ groupId: `reader-${randomUUID()}`, maxWaitTimeInMs: 100 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            letters.push(letterOf(message.headers ?? {}, message.value ?? Buffer.of()));
            if (Number(message.offset) === end - 1) resolve();
          },
        })
        .catch(reject);
    });
    return letters;
  } finally {
    await consumer.disconnect();
  }
}

function letterOf(headers: IHeaders, bytes: Buffer): DeadLetter {
  const text = (name: string): string => String(headers[name]);
  const signature = headers['signature'] === undefined ? null : text('signature');
  const where = { topic: text('topic'), partition: Number(text('partition')), position: Number(text('position')) };
  const publishedAtMs = Date.parse(text('published-at'));
  return { message: { ...where, bytes, signature, publishedAtMs }, code: text('code'), why: text('why') };
}
