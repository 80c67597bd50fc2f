import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { startTestBroker } from '../../../support/kafka-broker.ts';
import { onKafka } from '../bus-order.ts';
import { plainKafka, readLetters } from '../kafka-letters.ts';
import { compileExecutor } from './compiled-executor.ts';
import { expectExposure, killExecutors } from './kill-executors.ts';
import type { KillReport } from './storm.ts';

/** Fifty take about two minutes on a busy machine: by hand, or as `.ci/soak executors`. */
const KILLS = Number(process.env['KILLDRILL_KILLS'] ?? 16);
const CALM_KILLS = 5;
const { kafka: why } = inject('infrastructure');

async function kill(kills: number): Promise<KillReport> {
  const [compiled, broker] = [await compileExecutor(), await startTestBroker()];
  try {
    const address = broker.kafka.door('executors').brokers;
    const topics = await broker.kafka.createTopics(`kills-${randomUUID()}`);
    return await killExecutors({
      ...{ kills, calmKills: CALM_KILLS, main: compiled.main, bus: onKafka(address, topics) },
      letters: async () => {
        const letters = await readLetters(plainKafka([address]), topics.deadLetters);
        return letters.map(({ message: { partition, position } }) => `${partition}/${position}`);
      },
    });
  } finally {
    await broker.close();
    await compiled.remove();
  }
}

describe.skipIf(why !== null)(
  `executors on Kafka that are killed at random under a stream of alerts${why === null ? '' : ` (${why})`}`,
  () => {
    it('lose no acknowledged alert and make no stop twice', { timeout: 120_000 + KILLS * 10_000 }, async () => {
      const { wrong, exposure } = await kill(KILLS);
      expect(wrong).toEqual([]);
      expectExposure(exposure, KILLS);
    });
  },
);
