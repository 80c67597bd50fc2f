import { describe, expect, inject, it } from 'vitest';
import { startTestBroker } from '../support/kafka-broker.ts';
import { plainKafka, readLetters } from '../src/alerts/kafka-letters.ts';
import { prepareDatabase } from '../src/store/postgres/prepared-database.ts';
import { GIVEN, followGuide } from './follow-guide.ts';
import { Reader } from './reader.ts';

const NAMESPACE = 'payments';
const { kafka: why } = inject('infrastructure');

describe.skipIf(why !== null)(`a reader with a broker${why === null ? '' : ` (${why})`}`, () => {
  it('has an executor that makes an alert a stop, and keeps what nobody can read in the topic of dead letters', async () => {
    const [broker, database] = [await startTestBroker(), await prepareDatabase()];
    await database.addNamespace(NAMESPACE);
    const { ownerUrl, workerUrl, flipperUrl } = database;
    const { brokers } = broker.kafka.door('reader');
    const urls = { OWNER_URL: ownerUrl, WORKER_URL: workerUrl, FLIPPER_URL: flipperUrl };
    const reader = new Reader(GIVEN, { ...urls, KAFKA_BROKERS: brokers });
    const store = database.open(NAMESPACE);
    try {
      const printed = await followGuide(reader, 'alerts');
      expect(printed).toMatch(/^poison unreadable$/m);
      expect(printed).toMatch(/^tenant:acme: it writes too much \(writes per second 80/m);
      const letters = await readLetters(plainKafka([brokers]), 'killdrill.alerts.dead');
      expect(letters.map(({ code, message }) => [code, message.topic])).toEqual([['unreadable', 'killdrill.alerts']]);
      expect((await store.control.openEngagements()).map(({ flip }) => flip.target)).toEqual(['acme']);
    } finally {
      reader.close();
      await store.close();
      await database.close();
      await broker.close();
    }
  });
});
