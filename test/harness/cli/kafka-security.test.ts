import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { hostedBus } from '../../../harness/cli/hosted-bus.ts';
import { kafkaSecurity } from '../../../harness/cli/kafka-security.ts';
import { kafkaSink } from '../../../src/alerts/kafka-sink.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const SASL = { KILLDRILL_KAFKA_SASL_MECHANISM: 'scram-sha-512', KILLDRILL_KAFKA_SASL_USERNAME: 'killdrill' };
const HANDSHAKE = 0x16;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-kafka-'));
  for (const name of ['ca', 'cert', 'key', 'password']) writeFileSync(at(name), `the ${name}\n`);
  writeFileSync(at('empty'), '\n');
  return () => rmSync(folder, { recursive: true, force: true });
});

describe('how Kafka is reached', () => {
  test('is plain unless somebody says otherwise', () => {
    expect(kafkaSecurity({})).toEqual({});
    expect(kafkaSecurity({ KILLDRILL_KAFKA_TLS: 'false' })).toEqual({});
  });

  test('is TLS, with an authority and a certificate of its own, and a password from a file', () => {
    const files = { CA: 'ca', CERT: 'cert', KEY: 'key' };
    const named = Object.entries(files).map(([name, file]) => [`KILLDRILL_KAFKA_${name}_FILE`, at(file)]);
    const tls = { KILLDRILL_KAFKA_TLS: 'true', ...Object.fromEntries(named) };
    expect(kafkaSecurity({ ...tls, ...SASL, KILLDRILL_KAFKA_SASL_PASSWORD_FILE: at('password') })).toEqual({
      ssl: { ca: ['the ca\n'], cert: 'the cert\n', key: 'the key\n' },
      sasl: { mechanism: 'scram-sha-512', username: 'killdrill', password: 'the password' },
    });
    expect(kafkaSecurity({ ...SASL, KILLDRILL_KAFKA_SASL_PASSWORD: 'p' })).toMatchObject({ sasl: { password: 'p' } });
  });

  test.each([
    [{ TLS: 'yes' }, "KILLDRILL_KAFKA_TLS is 'yes'; expected true or false"],
    [{ CA_FILE: 'ca' }, 'set KILLDRILL_KAFKA_TLS to true'],
    [{ TLS: 'true', CERT_FILE: 'cert' }, 'are needed both, or neither'],
    [{ TLS: 'true', CA_FILE: 'nowhere' }, 'cannot be read'],
    [{ SASL_USERNAME: 'u' }, 'set KILLDRILL_KAFKA_SASL_MECHANISM'],
    [{ SASL_MECHANISM: 'gssapi' }, 'expected plain, scram-sha-256, scram-sha-512'],
    [{ SASL_MECHANISM: 'plain', SASL_USERNAME: 'u', SASL_PASSWORD: 'hush' }, 'for all to read'],
    [{ SASL_MECHANISM: 'scram-sha-256' }, 'KILLDRILL_KAFKA_SASL_USERNAME is not'],
    [{ SASL_MECHANISM: 'scram-sha-256', SASL_USERNAME: 'u' }, 'neither of'],
    [
      { SASL_MECHANISM: 'scram-sha-256', SASL_USERNAME: 'u', SASL_PASSWORD: 'hush', SASL_PASSWORD_FILE: 'password' },
      'both of',
    ],
    [{ SASL_MECHANISM: 'scram-sha-256', SASL_USERNAME: 'u', SASL_PASSWORD_FILE: 'empty' }, 'is empty'],
  ])('is refused with %j, and no secret is repeated', (variables, words) => {
    const environment = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [
        `KILLDRILL_KAFKA_${name}`,
        name.endsWith('_FILE') ? at(value) : value,
      ]),
    );
    expect(() => kafkaSecurity(environment)).toThrow(words);
    expect(() => kafkaSecurity(environment)).not.toThrow('hush');
  });

  test.each([
    ['begins with a TLS handshake', { KILLDRILL_KAFKA_TLS: 'true' }, true],
    ['does not without', {}, false],
  ])('%s', async (_, environment, isTls) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const heard = once(server, 'connection').then(async ([socket]) => {
      const [bytes] = (await once(socket as Socket, 'data')) as [Buffer];
      (socket as Socket).destroy();
      return bytes[0] === HANDSHAKE;
    });
    const cluster = hostedBus({ brokers: `127.0.0.1:${port}` }, environment);
    const sink = kafkaSink({ ...cluster, topic: 'flips', namespace: 'ns' });
    const flip = { epoch: 'e', revision: 1, hash: 'h', text: '{}', signature: null };
    const taken = sink.take([flip], new AbortController().signal).catch(() => undefined);
    expect(await heard).toBe(isTls);
    sink.close();
    server.close();
    await taken;
  });
});
