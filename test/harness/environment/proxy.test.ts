import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startProxy } from '../../../harness/environment/proxy.ts';
import type { FaultReceipt } from '../../../harness/environment/proxy-fault.ts';
import type { Proxy } from '../../../harness/environment/proxy.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';

let folder: string;
let target: { readonly path: string };
let server: Server;
let proxy: Proxy;
let accepted: Socket[];
let onAccept: (socket: Socket) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kdp-'));
  target = { path: join(folder, 's') };
  accepted = [];
  onAccept = (socket) => socket.pipe(socket); // an echo unless a test says otherwise
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    accepted.push(socket);
    onAccept(socket);
  });
  server.listen(target.path);
  await once(server, 'listening');
  proxy = await startProxy({ target });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of accepted) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

interface Client {
  readonly socket: Socket;
  received(): string;
  readonly ended: () => 'open' | 'ended' | 'reset';
}

function dial(port = proxy.port): Client {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  let received = '';
  let state: 'open' | 'ended' | 'reset' = 'open';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  socket.on('end', () => (state = 'ended'));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') state = 'reset';
  });
  return { socket, received: () => received, ended: () => state };
}

const eventually = async (condition: () => boolean) =>
  expect(await waitUntil(condition, { boundMs: 5_000, everyMs: 2 })).toBe(true);

async function dialAndEcho(word: string): Promise<Client> {
  const client = dial();
  client.socket.write(word);
  await eventually(() => client.received() === word);
  return client;
}

describe('a proxy', () => {
  test('passes bytes both ways, for many connections at once', async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, (_, index) => dialAndEcho(`hello ${index}`)));
    expect(proxy.connections).toBe(50);
    for (const { socket } of clients) socket.end();
    await eventually(() => proxy.connections === 0);
  });

  test('passes a half-closed connection on: the answer comes after the question has ended', async () => {
    onAccept = (socket) => {
      socket.resume().on('end', () => socket.end('answer'));
    };
    const client = dial();
    client.socket.end('question');
    await eventually(() => client.ended() === 'ended');
    expect(client.received()).toBe('answer');
    await eventually(() => proxy.connections === 0);
  });

  test('loses nothing of what the target says before it ends', async () => {
    const text = 'x'.repeat(4_000_000);
    onAccept = (socket) => {
      socket.end(text);
    };
    const client = dial();
    await eventually(() => client.ended() === 'ended');
    expect(client.received().length).toBe(text.length);
    client.socket.end();
  });

  test('holds back a sender whose receiver does not read', async () => {
    onAccept = (socket) => void socket.pause();
    const client = dial();
    const chunk = Buffer.alloc(65_536);
    let sent = 0;
    for (; sent < 64_000_000; sent += chunk.length) {
      if (client.socket.write(chunk)) continue;
      if (!(await drains(client.socket))) break;
    }
    expect(sent).toBeLessThan(32_000_000); // kernel buffers on three sockets, and two of Node's
  });

  test('closes a connection when the target is down, and passes again once it is up', async () => {
    server.close();
    for (const socket of accepted) socket.destroy();
    await once(server, 'close');
    const client = dial();
    await eventually(() => client.ended() !== 'open');
    client.socket.destroy();
    server.listen(target.path);
    await once(server, 'listening');
    (await dialAndEcho('again')).socket.destroy();
  });

  test('takes the client with it when the target goes away, and the target when the client does', async () => {
    const first = await dialAndEcho('one');
    accepted[0]?.destroy();
    await eventually(() => first.ended() !== 'open');
    first.socket.destroy();
    const second = await dialAndEcho('two');
    second.socket.resetAndDestroy();
    await eventually(() => accepted[1]?.closed === true);
    await eventually(() => proxy.connections === 0);
  });
});

describe('a cut', () => {
  test('resets what is there, refuses what comes, on the same port, and says so once', async () => {
    const told: FaultReceipt[] = [];
    const clients = await Promise.all([dialAndEcho('a'), dialAndEcho('b')]);
    const { port } = proxy;
    const cut = proxy.apply({ kind: 'cut' }, (receipt) => told.push(receipt));
    await eventually(() => clients.every((client) => client.ended() === 'reset'));
    const late = dial();
    await eventually(() => late.ended() === 'reset');
    expect(cut.receipt).toEqual({ connections: 2, refused: 1, bytes: 0 });
    expect(told).toEqual([{ connections: 2, refused: 0, bytes: 0 }]);
    expect(proxy.port).toBe(port);
    cut.undo();
    (await dialAndEcho('c')).socket.destroy();
  });

  test('is observed at the first refusal when there was nothing to sever', async () => {
    const told: FaultReceipt[] = [];
    const cut = proxy.apply({ kind: 'cut' }, (receipt) => told.push(receipt));
    expect(told).toEqual([]);
    for (const client of [dial(), dial()]) await eventually(() => client.ended() === 'reset');
    expect(told).toEqual([{ connections: 0, refused: 1, bytes: 0 }]);
    expect(cut.receipt).toEqual({ connections: 0, refused: 2, bytes: 0 });
  });

  test('counts anew for each cut, and cannot be laid over another', async () => {
    (await dialAndEcho('a')).socket.on('error', () => undefined);
    const first = proxy.apply({ kind: 'cut' });
    expect(() => proxy.apply({ kind: 'cut' })).toThrow(expect.objectContaining({ code: 'PROXY_FAULT_TWICE' }) as Error);
    first.undo();
    const second = proxy.apply({ kind: 'cut' });
    first.undo(); // the second time it does nothing, least of all to another cut
    expect(first.receipt).toEqual({ connections: 1, refused: 0, bytes: 0 });
    expect(second.receipt).toEqual({ connections: 0, refused: 0, bytes: 0 });
    const late = dial();
    await eventually(() => late.ended() === 'reset');
  });

  test('also breaks a connection whose receiver is stuck', async () => {
    onAccept = (socket) => void socket.pause();
    const client = dial();
    client.socket.write(Buffer.alloc(8_000_000));
    await eventually(() => proxy.connections === 1 && accepted.length === 1);
    proxy.apply({ kind: 'cut' });
    await eventually(() => client.ended() === 'reset');
    expect(proxy.connections).toBe(0);
  });
});

test('closing gives the port back, twice if asked, and resets what is left', async () => {
  const client = await dialAndEcho('a');
  await proxy.close();
  await proxy.close();
  await eventually(() => client.ended() === 'reset');
  const late = connect({ host: '127.0.0.1', port: proxy.port });
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});

async function drains(socket: Socket): Promise<boolean> {
  let drained = false;
  socket.once('drain', () => (drained = true));
  return waitUntil(() => drained, { boundMs: 300 });
}
