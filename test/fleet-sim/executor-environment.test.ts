import { describe, expect, it } from 'vitest';
import { readExecutorEnvironment } from '../../fleet-sim/executor-environment.ts';
import { newDetector } from '../src/alerts/samples.ts';

const TOLD = {
  KILLDRILL_NAMESPACE: 'ns',
  KILLDRILL_EXECUTOR: 'executor-1',
  KILLDRILL_REGISTRY_URL: 'postgres://worker@127.0.0.1:1/db',
  KILLDRILL_STOPS_URL: 'postgres://flipper@127.0.0.1:2/db',
  KILLDRILL_ALERTS_URL: 'postgres://flipper@127.0.0.1:3/db',
  KILLDRILL_DETECTOR_KEYS: JSON.stringify([newDetector().entry]),
  KILLDRILL_ALERT_QUEUE: 'park',
};

function refusalOf(changes: Readonly<Record<string, string | undefined>>): string {
  try {
    readExecutorEnvironment({ ...TOLD, ...changes });
  } catch (error) {
    expect(error).toMatchObject({ code: 'EXECUTOR_ENVIRONMENT' });
    return (error as Error).message;
  }
  throw new Error('it was read');
}

describe("an executor's environment", () => {
  it('names the store twice, by its rights, and a bus on PostgreSQL', () => {
    const { keys, ...told } = readExecutorEnvironment(TOLD);
    expect([...keys.keys()]).toEqual(['write-rate']);
    expect(told).toEqual({
      namespace: 'ns',
      executor: 'executor-1',
      registryUrl: 'postgres://worker@127.0.0.1:1/db',
      stopsUrl: 'postgres://flipper@127.0.0.1:2/db',
      bus: { kind: 'postgres', url: 'postgres://flipper@127.0.0.1:3/db', topic: null, deadTopic: null },
      queue: 'park',
      flipKeys: null,
      signingKeyFile: null,
    });
  });

  it('names brokers instead, with the topics and the group of the drill', () => {
    const { bus } = readExecutorEnvironment({
      ...TOLD,
      KILLDRILL_ALERTS_URL: undefined,
      KILLDRILL_KAFKA_BROKERS: '127.0.0.1:9092, other:9093',
      KILLDRILL_ALERTS_TOPIC: 'a',
      KILLDRILL_DEAD_LETTERS_TOPIC: 'a.dead',
      KILLDRILL_ALERTS_GROUP: 'g',
    });
    const brokers = ['127.0.0.1:9092', 'other:9093'];
    expect(bus).toEqual({ kind: 'kafka', brokers, topic: 'a', deadTopic: 'a.dead', group: 'g' });
  });

  it('is refused with every variable that is missing or wrong', () => {
    const message = refusalOf({
      KILLDRILL_EXECUTOR: undefined,
      KILLDRILL_STOPS_URL: '',
      KILLDRILL_ALERT_QUEUE: 'drain',
      KILLDRILL_DETECTOR_KEYS: '[{"detector":"x"}]',
      KILLDRILL_KAFKA_BROKERS: 'somewhere',
    });
    const named = ['EXECUTOR', 'STOPS_URL', 'ALERT_QUEUE', 'DETECTOR_KEYS', 'KAFKA_BROKERS'];
    for (const name of named) expect(message).toContain(`KILLDRILL_${name}: `);
    expect(message).toContain('both are set, expected one of them');
    expect(message).not.toContain('KILLDRILL_REGISTRY_URL');
  });

  it('is refused without a bus, and with keys that are no JSON', () => {
    expect(refusalOf({ KILLDRILL_ALERTS_URL: undefined })).toContain('neither is set');
    expect(refusalOf({ KILLDRILL_DETECTOR_KEYS: 'secret' })).toContain('KILLDRILL_DETECTOR_KEYS: ');
  });
});
