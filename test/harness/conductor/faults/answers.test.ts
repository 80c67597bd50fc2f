import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { kafkaAnswers, postgresAnswers } from '../../../../harness/conductor/faults/answers.ts';

let server: Server;
const sockets: Socket[] = [];
const asked: Buffer[] = [];

async function listen(talk: (socket: Socket) => void): Promise<{ readonly host: string; readonly port: number }> {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).on('data', (bytes) => asked.push(bytes));
    talk(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  asked.length = 0;
  server.close();
});

describe('a server', () => {
  it('answers when it says anything to the first question of its protocol', async () => {
    const { host, port } = await listen((socket) => socket.once('data', () => socket.write('any')));
    expect(await postgresAnswers({ host, port })).toBe(true);
    expect(await kafkaAnswers(`${host}:${port},elsewhere:1`)).toBe(true);
    const [ssl, versions] = asked;
    // the whole length first, in each
    expect(ssl?.readInt32BE(0)).toBe(ssl?.length);
    expect(versions?.readInt32BE(0)).toBe((versions?.length ?? 0) - 4);
    expect(versions?.readInt16BE(4)).toBe(18);
  });

  it('does not answer when it takes the connection and says nothing, or hangs up', async () => {
    const { host, port } = await listen(() => undefined);
    expect(await kafkaAnswers(`${host}:${port}`)).toBe(false);
    server.removeAllListeners('connection').on('connection', (socket: Socket) => socket.destroy());
    expect(await postgresAnswers({ host, port })).toBe(false);
  });

  it('does not answer when it is not there', async () => {
    const { host, port } = await listen(() => undefined);
    await new Promise((closed) => server.close(closed));
    expect(await kafkaAnswers(`${host}:${port}`)).toBe(false);
  });
});
