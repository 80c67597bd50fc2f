import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import type { BusMessage, DeadLetter } from './alert-bus.ts';
import { SIGNATURE_HEADER } from './alert-signature.ts';

/** What is published for an alert. */
export function toKafka(bytes: Uint8Array, signature: string | null, key: string): Message {
  return { key, value: Buffer.from(bytes), headers: signature === null ? {} : { [SIGNATURE_HEADER]: signature } };
}

/** What was read. A record without a value is an alert without bytes, which nobody can read: poison, as it should be. */
export function fromKafka(topic: string, partition: number, message: KafkaMessage): BusMessage {
  return {
    topic,
    partition,
    position: Number(message.offset),
    bytes: message.value ?? new Uint8Array(),
    signature: headerOf(message.headers, SIGNATURE_HEADER),
    publishedAtMs: Number(message.timestamp),
  };
}

/**
 * A dead letter as a record: the alert's own bytes, and where it came from and why it is here as headers.
 *
 * @param mostBytes of the alert that are kept; cut bytes are told of in `whole-bytes`.
 */
export function deadLetterToKafka({ message, code, why }: DeadLetter, mostBytes: number): Message {
  const { topic, partition, position, bytes, signature, publishedAtMs } = message;
  const isCut = bytes.length > mostBytes;
  return {
    key: `${topic}/${partition}/${position}`,
    value: Buffer.from(isCut ? bytes.subarray(0, mostBytes) : bytes),
    headers: {
      ...{ code, why, topic, partition: String(partition), position: String(position) },
      'published-at': new Date(publishedAtMs).toISOString(),
      ...(signature === null ? {} : { [SIGNATURE_HEADER]: signature }),
      ...(isCut ? { 'whole-bytes': String(bytes.length) } : {}),
    },
  };
}

function headerOf(headers: IHeaders | undefined, name: string): string | null {
  const found = headers?.[name];
  const first = Array.isArray(found) ? found[0] : found;
  return first === undefined || first.length === 0 ? null : first.toString();
}
