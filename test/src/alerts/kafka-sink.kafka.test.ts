import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { KafkaBus } from '../../../src/alerts/kafka-bus.ts';
import { systemClock } from '../../../src/clock.ts';
import { FlipPublisher } from '../../../src/control/sinks/flip-publisher.ts';
import type { SinkPosition } from '../../../src/control/sinks/flip-sink.ts';
import { kafkaSink } from '../../../src/alerts/kafka-sink.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { Head } from '../../../src/store/store.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import type { TestBroker } from '../../support/kafka-broker.ts';
import { readTopic } from './read-topic.ts';
import { stopText } from '../store/samples.ts';

const NAMESPACE = 'sinks';
const SOON = { timeout: 60_000, interval: 50 };
const { kafka: why } = inject('infrastructure');

function remembered(): SinkPosition {
  let position: Head | null = null;
  return { read: async () => position, write: async (head) => void (position = head) };
}

describe.skipIf(why !== null)(`a sink on Kafka${why === null ? '' : ` (${why})`}`, () => {
  let broker: TestBroker;
  let brokers: readonly string[];
  beforeAll(async () => {
    broker = await startTestBroker();
    brokers = [broker.kafka.door('tests').brokers];
  });
  afterAll(() => broker.close());

  const flipTo = (store: MemoryStore, reason: string) => store.flip(stopText(NAMESPACE, { reason }), null);

  function publishing(store: MemoryStore, topic: string): FlipPublisher {
    const sink = kafkaSink({ brokers, topic, namespace: NAMESPACE });
    const timings = { pollMs: 50, retryMs: 50 };
    const sinks = [{ sink, position: remembered() }];
    const publisher = new FlipPublisher({
      source: store,
      sinks,
      clock: systemClock,
      onError: () => undefined,
      timings,
    });
    publisher.start();
    onTestFinished(async () => {
      await publisher.close();
      sink.close();
    });
    return publisher;
  }

  async function revisionsOn(topic: string): Promise<readonly number[]> {
    const bus = new KafkaBus({ brokers, topic, newId: randomUUID, member: 'reader' });
    const { messages } = await readTopic(bus, 60_000);
    const decoder = new TextDecoder();
    return messages
      .toSorted((one, other) => one.position - other.position)
      .map(({ bytes }) => (JSON.parse(decoder.decode(bytes)) as { readonly revision: number }).revision);
  }

  it('is told every flip in order, also what does not fit into one request, and goes on after the broker was gone', async () => {
    const topics = await broker.kafka.createTopics(`t${randomUUID()}`);
    onTestFinished(() => topics.drop());
    const topic = topics.alerts;
    const store = new MemoryStore(new MemoryState({ namespace: NAMESPACE }));
    for (let nth = 0; nth < 450; nth += 1) await flipTo(store, 'long '.repeat(390));
    const publisher = publishing(store, topic);
    await vi.waitFor(() => expect(publisher.status()).toMatchObject([{ told: 450, behind: 0, error: null }]), SOON);
    await broker.kafka.kill();
    for (let nth = 0; nth < 5; nth += 1) await flipTo(store, 'while the broker is away'); // nobody waits for it
    await vi.waitFor(() => expect(publisher.status()[0]?.error).toMatch(/failed at Kafka/), SOON);
    const waits = [{ name: `kafka ${topic}`, told: 450, behind: 5 }];
    await vi.waitFor(() => expect(publisher.status()).toMatchObject(waits), SOON);
    await broker.kafka.start();
    await vi.waitFor(() => expect(publisher.status()).toMatchObject([{ told: 455, behind: 0, error: null }]), SOON);
    const told = await revisionsOn(topic);
    // At least once: what was on its way when the broker was killed may be there twice; nothing is missing, nor overtaken.
    const firsts = [...new Set(told)];
    expect(firsts).toEqual(Array.from({ length: 455 }, (_, nth) => nth + 1));
  });

  it('says which topic is not there, and loses nothing meanwhile', async () => {
    const store = new MemoryStore(new MemoryState({ namespace: NAMESPACE }));
    await flipTo(store, 'x');
    const publisher = publishing(store, `nowhere-${randomUUID()}`);
    await vi.waitFor(() => expect(publisher.status()[0]?.error).toMatch(/publishing to nowhere-.* failed/), SOON);
    expect(publisher.status()).toMatchObject([{ told: 0, behind: 1 }]);
  });
});

describe('a sink on Kafka that is named wrongly', () => {
  it.each([
    ['fl ips', ['b:9092'], /a topic is 'fl ips'; expected/],
    ['..', ['b:9092'], /a topic is/],
    ['flips', [], /no broker is named/],
  ])('is refused: %s', (topic, to, words) => {
    expect(() => kafkaSink({ topic, brokers: to, namespace: NAMESPACE })).toThrow(words);
  });
});
