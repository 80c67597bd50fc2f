import type { KafkaMessage } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { SIGNATURE_HEADER } from '../../../src/alerts/alert-signature.ts';
import { deadLetterToKafka, fromKafka, toKafka } from '../../../src/alerts/kafka-message.ts';

const RECORD: KafkaMessage = {
  key: null,
  value: Buffer.from('bytes'),
  timestamp: '1700000000000',
  attributes: 0,
  offset: '9007199254740991',
  headers: { [SIGNATURE_HEADER]: Buffer.from('c2lnbmVk') },
};

describe('an alert as a record of Kafka', () => {
  test('carries its bytes as they are, its key, and its signature beside them', () => {
    expect(toKafka(Buffer.from([0, 255]), 'c2ln', 'tenant:acme')).toEqual({
      key: 'tenant:acme',
      value: Buffer.from([0, 255]),
      headers: { [SIGNATURE_HEADER]: 'c2ln' },
    });
    expect(toKafka(Buffer.of(), null, 'k').headers).toEqual({});
  });

  test('is read with its place and the time of the broker', () => {
    expect(fromKafka('alerts', 3, RECORD)).toEqual({
      topic: 'alerts',
      partition: 3,
      position: Number.MAX_SAFE_INTEGER,
      bytes: Buffer.from('bytes'),
      signature: 'c2lnbmVk',
      publishedAtMs: 1_700_000_000_000,
    });
  });

  test.each([
    ['no headers', undefined, null],
    ['an empty signature', { [SIGNATURE_HEADER]: Buffer.of() }, null],
    ['a signature twice', { [SIGNATURE_HEADER]: [Buffer.from('one'), Buffer.from('two')] }, 'one'],
  ])('with %s is read all the same', (_, headers, signature) => {
    const read = fromKafka('alerts', 0, { ...RECORD, headers } as KafkaMessage);
    expect(read.signature).toBe(signature);
  });

  test('without a value has no bytes: nobody can read it, and it is a dead letter', () => {
    expect(fromKafka('alerts', 0, { ...RECORD, value: null }).bytes).toEqual(new Uint8Array());
  });
});

describe('a dead letter as a record of Kafka', () => {
  const message = { topic: 'alerts', partition: 1, position: 7, signature: null, publishedAtMs: 0 };

  test('says where it came from and why, beside the whole alert', () => {
    const letter = { message: { ...message, bytes: Buffer.from('abc') }, code: 'forged', why: 'by nobody' };
    expect(deadLetterToKafka(letter, 3)).toEqual({
      key: 'alerts/1/7',
      value: Buffer.from('abc'),
      headers: {
        code: 'forged',
        why: 'by nobody',
        topic: 'alerts',
        partition: '1',
        position: '7',
        'published-at': '1970-01-01T00:00:00.000Z',
      },
    });
  });

  test('is cut when it has to be, and says how long it was', () => {
    const letter = { message: { ...message, bytes: Buffer.from('abcdef') }, code: 'too_large', why: 'it is too large' };
    const { value, headers } = deadLetterToKafka(letter, 4);
    expect([value, headers?.['whole-bytes']]).toEqual([Buffer.from('abcd'), '6']);
  });
});
