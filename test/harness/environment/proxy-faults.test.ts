import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Direction, FaultReceipt, ProxyFault } from '../../../harness/environment/proxy-fault.ts';
import { startProxy } from '../../../harness/environment/proxy.ts';
import type { Proxy } from '../../../harness/environment/proxy.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';

let server: Server;
let proxy: Proxy;
let accepted: Socket[];
let heard: string;
let onAccept: (socket: Socket) => void;
let clients: Socket[];

const echo = (socket: Socket): void => {
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.toString('latin1');
    socket.write(bytes);
  });
  socket.on('end', () => socket.end());
};

beforeEach(async () => {
  [accepted, clients, heard, onAccept] = [[], [], '', echo];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    accepted.push(socket);
    onAccept(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  proxy = await startProxy({ target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of [...accepted, ...clients]) socket.destroy();
  server.close();
});

interface Client {
  readonly socket: Socket;
  readonly received: () => string;
  readonly state: () => 'open' | 'ended' | 'reset';
}

function dial(): Client {
  const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true, noDelay: true });
  clients.push(socket);
  let received = '';
  let state: 'open' | 'ended' | 'reset' = 'open';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('end', () => (state = 'ended'));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') state = 'reset';
  });
  return { socket, received: () => received, state: () => state };
}

const eventually = async (condition: () => boolean) =>
  expect(await waitUntil(condition, { boundMs: 5_000, everyMs: 2 })).toBe(true);

async function say(client: Client, word: string): Promise<void> {
  const before = client.received().length;
  client.socket.write(word);
  await eventually(() => client.received().length >= before + word.length);
}

async function open(word = 'hello'): Promise<Client> {
  const client = dial();
  await say(client, word);
  return client;
}

/** Numbers in order, so that a lost, doubled or moved byte shows. */
const numbers = (count: number): string => Array.from({ length: count }, (_, at) => `${at};`).join('');

const BOTH = { direction: 'both' } as const;
const SLOW: readonly ProxyFault[] = [
  { kind: 'latency', ...BOTH, delayMs: 30 },
  { kind: 'jitter', ...BOTH, upToMs: 30, seed: 7 },
  { kind: 'bandwidth', ...BOTH, bytesPerSecond: 400_000 },
];

/** So slow that nothing of it is over within a test. */
function slowest(kind: ProxyFault['kind']): ProxyFault {
  if (kind === 'bandwidth') return { kind, ...BOTH, bytesPerSecond: 1 };
  return kind === 'jitter' ? { kind, ...BOTH, upToMs: 60_000, seed: 7 } : { kind: 'latency', ...BOTH, delayMs: 60_000 };
}

describe.each(SLOW)('$kind', (fault) => {
  test('keeps every byte and the order, on connections that were there and that come, and counts them', async () => {
    const told: FaultReceipt[] = [];
    const there = await open('x');
    const applied = proxy.apply(fault, (receipt) => told.push(receipt));
    const late = dial();
    const text = numbers(2_000);
    for (const client of [there, late]) {
      for (let at = 0; at < text.length; at += 700) client.socket.write(text.slice(at, at + 700));
    }
    await eventually(() => late.received() === text && there.received() === `x${text}`);
    expect(applied.receipt).toEqual({ connections: 2, refused: 0, bytes: text.length * 4 });
    expect(told).toHaveLength(1);
    expect(told[0]?.connections).toBe(1);
  });

  test('lets what waits go at once when it is undone, and acts no more', async () => {
    const client = await open();
    const applied = proxy.apply(slowest(fault.kind));
    const text = numbers(500);
    client.socket.write(text);
    await eventually(() => applied.receipt.bytes >= text.length);
    expect(heard.length).toBeLessThan(text.length); // a minute a byte, or a draw of a minute, is not over yet
    applied.undo();
    applied.undo();
    await eventually(() => client.received() === `hello${text}`);
    const { receipt } = applied;
    await say(client, 'again');
    expect(applied.receipt).toEqual(receipt);
  });

  test('passes an end on behind the bytes', async () => {
    proxy.apply(fault);
    const client = dial();
    client.socket.end('question');
    await eventually(() => client.state() === 'ended');
    expect(client.received()).toBe('question');
    await eventually(() => proxy.connections === 0);
  });

  test('leaves nothing behind when the proxy is closed while it is on', async () => {
    const client = await open();
    const applied = proxy.apply(slowest(fault.kind));
    client.socket.write('never to arrive');
    await eventually(() => applied.receipt.bytes > 0);
    const timersBefore = timers();
    await proxy.close();
    expect(timers()).toBeLessThan(timersBefore);
    expect(proxy.connections).toBe(0);
    await eventually(() => client.state() === 'reset' && accepted.every((socket) => socket.closed || closes(socket)));
  });
});

/** An echo server closes once its peer has. */
const closes = (socket: Socket): boolean => socket.readableEnded;
const timers = (): number => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;

describe('latency', () => {
  test('delays as often as bytes go through it: both ways take longer than one', async () => {
    const rounds = async (client: Client): Promise<number> => {
      const beginMs = performance.now();
      for (let round = 0; round < 5; round += 1) await say(client, 'ping');
      return performance.now() - beginMs;
    };
    const client = await open();
    const delayMs = 100;
    const one = proxy.apply({ kind: 'latency', direction: 'to-server', delayMs });
    const oneWayMs = await rounds(client);
    one.undo();
    proxy.apply({ kind: 'latency', direction: 'both', delayMs });
    const bothWaysMs = await rounds(client);
    // Lower bounds only: they hold however slow the machine is.
    expect(oneWayMs).toBeGreaterThanOrEqual(5 * delayMs - 5);
    expect(bothWaysMs).toBeGreaterThanOrEqual(10 * delayMs - 10);
  });
});

describe('bandwidth', () => {
  test('holds a sender back when its lane is full', async () => {
    const client = await open();
    const applied = proxy.apply({ kind: 'bandwidth', direction: 'to-server', bytesPerSecond: 10 });
    const chunk = Buffer.alloc(65_536);
    let sent = 0;
    for (; sent < 64_000_000; sent += chunk.length) {
      if (client.socket.write(chunk)) continue;
      let drained = false;
      client.socket.once('drain', () => (drained = true));
      if (!(await waitUntil(() => drained, { boundMs: 300 }))) break;
    }
    expect(sent).toBeLessThan(32_000_000); // kernel buffers on two sockets, one of Node's, and the lane's mebibyte
    expect(applied.receipt.bytes).toBeLessThan(1_300_000);
  });

  test('passes no more than it was given, and more when it was given more', async () => {
    const take = async (bytesPerSecond: number): Promise<number> => {
      const applied = proxy.apply({ kind: 'bandwidth', direction: 'to-server', bytesPerSecond });
      const client = dial();
      const beginMs = performance.now();
      await say(client, 'x'.repeat(20_000));
      applied.undo();
      return performance.now() - beginMs;
    };
    expect(await take(40_000)).toBeGreaterThanOrEqual(450); // half a second, but for the quantum that goes first
    expect(await take(80_000)).toBeGreaterThanOrEqual(200);
  });
});

describe('half-open', () => {
  test('says nothing to connections that were there, and lets go of it in order when undone', async () => {
    const client = await open();
    const applied = proxy.apply({ kind: 'half-open', ...BOTH });
    const text = numbers(5_000);
    client.socket.write(text);
    client.socket.end();
    await eventually(() => applied.receipt.bytes === text.length);
    expect(applied.receipt.connections).toBe(1);
    expect([client.received(), client.state(), heard]).toEqual(['hello', 'open', 'hello']);
    applied.undo();
    await eventually(() => client.state() === 'ended');
    expect(client.received()).toBe(`hello${text}`);
    await eventually(() => proxy.connections === 0);
  });

  test('accepts what comes and keeps it from the target until it is undone', async () => {
    const told: FaultReceipt[] = [];
    const applied = proxy.apply({ kind: 'half-open', ...BOTH }, (receipt) => told.push(receipt));
    const client = dial();
    client.socket.write('anybody?');
    await eventually(() => applied.receipt.bytes === 8);
    expect(accepted).toHaveLength(0);
    expect(told).toEqual([{ connections: 1, refused: 0, bytes: 0 }]);
    applied.undo();
    await eventually(() => client.received() === 'anybody?');
  });

  test('forgets a connection that its client gave up before the target was dialled', async () => {
    const applied = proxy.apply({ kind: 'half-open', ...BOTH });
    const client = dial();
    client.socket.write('anybody?');
    await eventually(() => applied.receipt.bytes === 8);
    client.socket.resetAndDestroy();
    await eventually(() => proxy.connections === 0);
    applied.undo();
    await open('next');
    expect([accepted.length, heard]).toEqual([1, 'next']);
  });

  test('keeps the end of one side from the other while it lasts', async () => {
    const client = await open();
    const applied = proxy.apply({ kind: 'half-open', ...BOTH });
    client.socket.resetAndDestroy();
    await eventually(() => client.socket.closed);
    await say(await neighbour(), 'meanwhile'); // a round trip elsewhere: time for an end to get through
    expect([accepted[0]?.destroyed, accepted[0]?.readableEnded]).toEqual([false, false]);
    applied.undo();
    await eventually(() => proxy.connections === 0);
  });

  test.each<readonly [Direction, string, string]>([
    ['to-server', 'hello', 'hello'],
    ['to-client', 'helloword', 'hello'],
  ])('holds one way only: %s', async (direction, hears, receives) => {
    const client = await open();
    const applied = proxy.apply({ kind: 'half-open', direction });
    client.socket.write('word');
    await eventually(() => applied.receipt.bytes === 4 && heard === hears);
    expect(client.received()).toBe(receives);
    accepted[0]?.write('!');
    await eventually(() => client.received().endsWith('!') === (direction === 'to-server'));
    applied.undo();
    await eventually(() => client.received().length === 'helloword!'.length);
  });

  test('holds a bounded number of connections, and refuses more', async () => {
    const applied = proxy.apply({ kind: 'half-open', ...BOTH });
    const many = Array.from({ length: 520 }, dial);
    await eventually(() => many.filter(({ state }) => state() === 'reset').length === 8);
    expect(applied.receipt).toEqual({ connections: 512, refused: 8, bytes: 0 });
  });
});

/** A connection of its own to the same target, past the proxy. */
async function neighbour(): Promise<Client> {
  const other = await startProxy({ target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } });
  const own = proxy;
  proxy = other;
  const client = await open();
  proxy = own;
  clients.push(client.socket);
  others.push(other);
  return client;
}
const others: Proxy[] = [];
afterEach(async () => {
  for (const other of others.splice(0)) await other.close();
});

describe('reset', () => {
  test('breaks a connection when it carries bytes, and leaves one alone that carries none', async () => {
    const [busy, idle] = [await open(), await open()];
    const told: FaultReceipt[] = [];
    const applied = proxy.apply({ kind: 'reset', ...BOTH }, (receipt) => told.push(receipt));
    expect(told).toEqual([]);
    busy.socket.write('word');
    await eventually(() => busy.state() === 'reset');
    expect([idle.state(), heard]).toEqual(['open', 'hellohello']);
    expect(applied.receipt).toEqual({ connections: 1, refused: 0, bytes: 4 });
    expect(told).toHaveLength(1);
    applied.undo();
    await say(idle, 'word');
  });

  test('lets a question through and breaks at the answer, when it is one way only', async () => {
    proxy.apply({ kind: 'reset', direction: 'to-client' });
    const client = dial();
    client.socket.write('word');
    await eventually(() => client.state() === 'reset');
    expect([heard, client.received()]).toEqual(['word', '']);
    await eventually(() => proxy.connections === 0);
  });
});

describe('faults together', () => {
  test('are undone one by one, in any order', async () => {
    const client = await open();
    const [latency, hold, bandwidth] = [
      proxy.apply({ kind: 'latency', ...BOTH, delayMs: 5 }),
      proxy.apply({ kind: 'half-open', direction: 'to-server' }),
      proxy.apply({ kind: 'bandwidth', ...BOTH, bytesPerSecond: 100_000 }),
    ];
    client.socket.write('word');
    await eventually(() => hold.receipt.bytes === 4);
    latency.undo();
    expect(heard).toBe('hello');
    hold.undo();
    await eventually(() => client.received() === 'helloword');
    expect(bandwidth.receipt.bytes).toBe(8);
    bandwidth.undo();
    await say(client, '!');
  });

  test('of one kind may be on each way, and not twice one way', () => {
    proxy.apply({ kind: 'latency', direction: 'to-server', delayMs: 5 });
    const back = proxy.apply({ kind: 'latency', direction: 'to-client', delayMs: 9 });
    const twice = expect.objectContaining({ code: 'PROXY_FAULT_TWICE' }) as Error;
    expect(() => proxy.apply({ kind: 'latency', ...BOTH, delayMs: 5 })).toThrow(twice);
    back.undo();
    expect(() => proxy.apply({ kind: 'latency', direction: 'to-client', delayMs: 5 })).not.toThrow();
  });

  test('are refused when they are no faults, or when the proxy is closed', async () => {
    const invalid = expect.objectContaining({ code: 'PROXY_FAULT_INVALID' }) as Error;
    for (const size of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => proxy.apply({ kind: 'latency', ...BOTH, delayMs: size })).toThrow(invalid);
      expect(() => proxy.apply({ kind: 'jitter', ...BOTH, upToMs: size, seed: 1 })).toThrow(invalid);
      expect(() => proxy.apply({ kind: 'bandwidth', ...BOTH, bytesPerSecond: size })).toThrow(invalid);
    }
    await proxy.close();
    expect(() => proxy.apply({ kind: 'cut' })).toThrow(expect.objectContaining({ code: 'PROXY_CLOSED' }) as Error);
  });
});
