import { describe, expect, test } from 'vitest';
import { resolveKafkaOptions } from '../../../src/alerts/kafka-options.ts';

const NEEDED = { brokers: ['127.0.0.1:9092'], newId: () => 'id' };

describe('the options of the Kafka bus', () => {
  test('have names of their own by default', () => {
    expect(resolveKafkaOptions(NEEDED)).toMatchObject({
      topic: 'killdrill.alerts',
      deadTopic: 'killdrill.alerts.dead',
      group: 'killdrill.executor',
      member: 'executor',
    });
  });

  test('may be called otherwise; the dead letters follow the topic', () => {
    const { topic, deadTopic } = resolveKafkaOptions({ ...NEEDED, topic: 'phronis.alerts' });
    expect([topic, deadTopic]).toEqual(['phronis.alerts', 'phronis.alerts.dead']);
    expect(resolveKafkaOptions({ ...NEEDED, deadTopic: 'graveyard' }).deadTopic).toBe('graveyard');
  });

  test('bound every wait within what an executor waits for', () => {
    const { timings } = resolveKafkaOptions({ ...NEEDED, timings: { fetchWaitMs: 100 } });
    expect(timings.fetchWaitMs).toBe(100);
    expect(timings.requestMs).toBeLessThan(timings.callMs);
    expect(timings.heartbeatMs).toBeLessThan(timings.sessionMs);
  });

  test.each([
    [{ topic: '' }, "topic is ''"],
    [{ topic: '..' }, "topic is '..'"],
    [{ deadTopic: 'a b' }, "deadTopic is 'a b'"],
    [{ group: 'x'.repeat(201) }, 'group is'],
    [{ topic: 'one', deadTopic: 'one' }, 'a topic of their own'],
    [{ brokers: [] }, 'brokers is empty'],
  ])('are refused when they are %j', (wrong, found) => {
    const resolve = () => resolveKafkaOptions({ ...NEEDED, ...wrong });
    expect(resolve).toThrow(expect.objectContaining({ code: 'KAFKA_OPTIONS' }));
    expect(resolve).toThrow(found);
  });
});
