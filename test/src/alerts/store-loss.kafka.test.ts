import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { startTestBroker } from '../../support/kafka-broker.ts';
import { onKafka } from './bus-order.ts';
import { expectNothingLost, loseStore } from './store-loss.ts';

const { kafka: why } = inject('infrastructure');

describe.skipIf(why !== null)(
  `an executor on Kafka whose store is killed in the midst of alerts${why === null ? '' : ` (${why})`}`,
  () => {
    it('enforces what comes meanwhile all the time, and makes all of it durable once (prints how soon)', async () => {
      const broker = await startTestBroker();
      try {
        const topics = await broker.kafka.createTopics(`t${randomUUID()}`);
        const loss = await loseStore(onKafka(broker.kafka.door('executor').brokers, topics));
        process.stdout.write(
          `PostgreSQL back to the next stop durable, over Kafka: ${Math.round(loss.durableAgainMs)} ms (n=1, behind ${loss.meanwhile.length} stops that came meanwhile)\n`,
        );
        expectNothingLost(loss);
        expect(loss.meanwhile.length).toBeGreaterThanOrEqual(20);
      } finally {
        await broker.close();
      }
    });
  },
);
