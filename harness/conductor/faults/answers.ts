import { connect } from 'node:net';
import type { ConnectTarget } from '../../environment/proxy.ts';

const LOOK_BOUND_MS = 1_000;

/** SSLRequest, which a living server answers with one byte at once. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
/** ApiVersions, version 0, correlation id 1, no client id: what a broker answers to anybody, before anything else. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/** Whether a PostgreSQL server answers there. */
export function postgresAnswers(target: ConnectTarget): Promise<boolean> {
  return answers(target, SSL_REQUEST);
}

/** Whether a Kafka broker answers at the first of these. @param brokers `host:port`, several with commas */
export function kafkaAnswers(brokers: string): Promise<boolean> {
  const [first = ''] = brokers.split(',');
  const at = first.lastIndexOf(':');
  return answers({ host: first.slice(0, at), port: Number(first.slice(at + 1)) }, API_VERSIONS);
}

/** A connection alone says nothing: a proxy, or the system of a stopped server, may have taken it. */
function answers(target: ConnectTarget, question: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LOOK_BOUND_MS, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('connect', () => socket.write(question));
    socket.once('data', () => settle(true));
  });
}
