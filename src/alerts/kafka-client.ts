import { isIP, connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { Kafka, logLevel } from 'kafkajs';
import type { ISocketFactory, KafkaConfig } from 'kafkajs';
import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import { within } from '../within.ts';
import type { KafkaCluster, KafkaTimings } from './kafka-options.ts';

/** How kafkajs calls us, in a broker's log. */
const CLIENT_ID = 'killdrill';

/** A client whose connections can be torn down: kafkajs itself waits for answers that may never come. */
export interface KafkaClient {
  readonly kafka: Kafka;
  /** Tears down whatever connection is left. */
  destroy(): void;
}

export function openKafka({ brokers, ssl, sasl }: KafkaCluster, timings: KafkaTimings, retries: number): KafkaClient {
  const sockets = new Set<Socket>();
  let isDestroyed = false;
  // with an error: kafkajs takes no notice of a connection that only closes, and would keep its timers
  const tearDown = (socket: Socket): void => void socket.destroy(new Error('the connection was torn down'));
  const socketFactory: ISocketFactory = ({ host, port, ssl: secure, onConnect }) => {
    // kafkajs gives null without TLS, whatever its types say
    const options = secure as ConnectionOptions | null | undefined;
    const socket =
      options === undefined || options === null
        ? connectTcp({ host, port, noDelay: true }, onConnect)
        : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...options }, onConnect);
    socket.setKeepAlive(true, 5_000);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (isDestroyed) process.nextTick(tearDown, socket);
    return socket;
  };
  const security: Partial<KafkaConfig> = {
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
  };
  const kafka = new Kafka({
    ...{ clientId: CLIENT_ID, brokers: [...brokers], socketFactory, ...security },
    connectionTimeout: timings.connectMs,
    authenticationTimeout: timings.requestMs,
    requestTimeout: timings.requestMs,
    enforceRequestTimeout: true,
    retry: { retries, initialRetryTime: 30, maxRetryTime: 200 },
    logLevel: logLevel.NOTHING, // every error is thrown, or told as an event
  });
  return {
    kafka,
    destroy: () => {
      isDestroyed = true;
      for (const socket of sockets) tearDown(socket);
    },
  };
}

/** Something of a client that has been connected. */
interface Connected<T> {
  readonly handle: T;
  readonly client: KafkaClient;
}

interface KeptParts<T> {
  readonly clock: Clock;
  readonly callMs: number;
  readonly brokers: readonly string[];
  readonly open: () => KafkaClient;
  readonly connect: (kafka: Kafka) => Promise<T>;
}

/** A connected client that is kept for the next call. One that has failed is thrown away: the next call begins anew. */
export class Kept<T> {
  readonly #parts: KeptParts<T>;
  #current: Promise<Connected<T>> | null = null;
  readonly #clients = new Set<KafkaClient>();

  constructor(parts: KeptParts<T>) {
    this.#parts = parts;
  }

  /** @throws KilldrillError `KAFKA_FAILED`, naming `what`, when it fails or takes longer than its bound. */
  async use<R>(what: string, work: (handle: T) => Promise<R>): Promise<R> {
    const { clock, callMs, brokers } = this.#parts;
    const current = (this.#current ??= this.#connect());
    const worked = current.then(({ handle }) => work(handle));
    try {
      return await within(clock, callMs, worked, () => new Error(`no answer within ${callMs} ms`));
    } catch (error) {
      if (!isAnswer(error)) this.#forget(current);
      throw kafkaFailed(what, brokers, error);
    }
  }

  /** Tears its connections down; what is under way fails. */
  close(): void {
    this.#current = null;
    for (const client of this.#clients) client.destroy();
    this.#clients.clear();
  }

  async #connect(): Promise<Connected<T>> {
    const client = this.#parts.open();
    this.#clients.add(client);
    try {
      return { handle: await this.#parts.connect(client.kafka), client };
    } catch (error) {
      this.#drop(client);
      throw error;
    }
  }

  #forget(current: Promise<Connected<T>>): void {
    if (this.#current === current) this.#current = null;
    current.then(({ client }) => this.#drop(client)).catch(() => undefined);
  }

  #drop(client: KafkaClient): void {
    client.destroy();
    this.#clients.delete(client);
  }
}

/** A refusal that the broker itself has pronounced: its connection is fine. (kafkajs's error classes are no named exports.) */
function isAnswer(error: unknown): boolean {
  const isPronounced = error instanceof Error && error.name === 'KafkaJSProtocolError';
  return isPronounced && 'retriable' in error && error.retriable === false;
}

/** kafkajs's name for a broker's error code, such as `MESSAGE_TOO_LARGE`; null for any other error. */
export function brokerCode(error: unknown): string | null {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if ('type' in one && typeof one.type === 'string') return one.type;
  }
  return null;
}

export function kafkaFailed(what: string, brokers: readonly string[], cause: unknown): KilldrillError {
  if (cause instanceof KilldrillError) return cause;
  const message = `${what} failed at Kafka (${brokers.join(', ')}): ${messageOf(cause)}`;
  return new KilldrillError('KAFKA_FAILED', message, { cause });
}
