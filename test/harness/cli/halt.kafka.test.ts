import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { AlertExecutor } from '../../../src/alerts/alert-executor.ts';
import { KafkaBus } from '../../../src/alerts/kafka-bus.ts';
import { systemClock } from '../../../src/clock.ts';
import { openAlertStore } from '../../../src/store/postgres/alert-store.ts';
import { followRegistry } from '../../src/alerts/following-registry.ts';
import { newDetector, policyFor } from '../../src/alerts/samples.ts';
import { PATIENT, prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import type { TestBroker } from '../../support/kafka-broker.ts';
import { startCommand } from './command.ts';
import type { Ended } from './command.ts';

const { kafka: why } = inject('infrastructure');
const detector = newDetector('on-call', { widestScope: 'global', strictestMode: 'emergency' });

describe.skipIf(why !== null)(`killdrill halt over Kafka${why === null ? '' : ` (${why})`}`, () => {
  let broker: TestBroker;
  let database: PreparedDatabase;
  let folder: string;
  beforeAll(async () => {
    [broker, database] = [await startTestBroker(), await prepareDatabase()];
    folder = mkdtempSync(join(tmpdir(), 'killdrill-halt-'));
    writeFileSync(join(folder, 'key.pem'), detector.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await database.close();
    await broker.close();
  });

  async function newTopic(): Promise<string> {
    const topics = await broker.kafka.createTopics(`t${randomUUID()}`);
    onTestFinished(() => topics.drop());
    return topics.alerts;
  }

  function killdrill(namespace: string, topic: string, more: Record<string, string> = {}): Promise<Ended> {
    const env = {
      ...{ KILLDRILL_NAMESPACE: namespace, KILLDRILL_KEPT: join(folder, 'kept'), KILLDRILL_ALERTS_TOPIC: topic },
      ...{ KILLDRILL_DETECTOR: 'on-call', KILLDRILL_DETECTOR_KEY: join(folder, 'key.pem') },
      ...{ KILLDRILL_KAFKA_BROKERS: broker.kafka.door('halt').brokers, ...more },
    };
    return startCommand(['halt', 'tenant', 'acme', '--reason', 'x', '--give-up-after', '20s', '--json'], env).ended;
  }

  test('is a stop that an executor makes of the alert, under the same id, and says that the bus took it', async () => {
    const [namespace, topic] = [`ns-${randomUUID()}`, await newTopic()];
    await database.addNamespace(namespace);
    const asFlipper = { connectionString: database.flipperUrl, namespace, timings: PATIENT };
    const following = await followRegistry({ ...asFlipper, connectionString: database.workerUrl });
    const bus = new KafkaBus({ brokers: [broker.kafka.door('executor').brokers], topic, newId: randomUUID });
    const alerts = openAlertStore(asFlipper);
    const policy = policyFor([detector], { namespace });
    const executor = new AlertExecutor({
      bus,
      store: alerts,
      registry: following.registry,
      clock: systemClock,
      policy,
    });
    executor.start();
    onTestFinished(async () => {
      await executor.close();
      await Promise.all([bus.close(), alerts.close(), following.close()]);
    });
    await vi.waitUntil(() => executor.status().isReading, { timeout: 60_000, interval: 50 });
    // The worker's role may look, and may not flip: only the executor can make the stop.
    const { code, stdout } = await killdrill(namespace, topic, { KILLDRILL_DATABASE_URL: database.workerUrl });
    const store = database.open(namespace);
    onTestFinished(() => store.close());
    const [engagement, ...others] = await store.control.openEngagements();
    expect(others).toEqual([]);
    expect(engagement?.flip).toMatchObject({ source: 'alert', triggeredBy: 'on-call', target: 'acme', reason: 'x' });
    expect({ code, answer: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 0,
      answer: { id: engagement?.flip.id, durable: true, revision: 1, takenBy: 'alert bus' },
    });
  });

  test('that no executor is known to have read is not durable, is kept, and names the topic', async () => {
    const topic = await newTopic();
    const { code, stdout } = await killdrill(`ns-${randomUUID()}`, topic);
    const answer = JSON.parse(stdout) as {
      readonly keptAt: string;
      readonly paths: readonly { readonly says: string }[];
    };
    expect([code, answer]).toMatchObject([4, { durable: false, paths: [{ path: 'alert bus', state: 'provisional' }] }]);
    expect(answer.paths[0]?.says).toContain(`the alert is on ${topic} of Kafka, and no executor is known`);
    expect(answer.keptAt).toContain(join(folder, 'kept'));
  });

  test('on a topic that is not there has not been taken, and says so', async () => {
    const { code, stdout } = await killdrill(`ns-${randomUUID()}`, `nowhere-${randomUUID()}`, {});
    expect([code, JSON.parse(stdout)]).toMatchObject([
      4,
      { durable: false, paths: [{ path: 'alert bus', state: 'failed' }] },
    ]);
  });
});
