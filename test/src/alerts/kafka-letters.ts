import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin, IHeaders } from 'kafkajs';
import type { DeadLetter } from '../../../src/alerts/alert-bus.ts';
import { SIGNATURE_HEADER } from '../../../src/alerts/alert-signature.ts';

/** A client of a test's own, which shares nothing with the bus under test. */
export function plainKafka(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
}

/** A new one each time: it goes on asking for every topic that it has ever looked at, also once that is deleted. */
export async function withAdmin<T>(client: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Every dead letter that the topic holds now, repeats included. */
export async function readLetters(client: Kafka, topic: string): Promise<readonly DeadLetter[]> {
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
  const signature = headers[SIGNATURE_HEADER] === undefined ? null : text(SIGNATURE_HEADER);
  const where = { topic: text('topic'), partition: Number(text('partition')), position: Number(text('position')) };
  const publishedAtMs = Date.parse(text('published-at'));
  return { message: { ...where, bytes, signature, publishedAtMs }, code: text('code'), why: text('why') };
}
