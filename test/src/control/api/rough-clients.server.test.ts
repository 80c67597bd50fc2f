import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KEYS, openApiRig } from './api-rig.ts';
import type { ApiRig } from './api-rig.ts';

vi.setConfig({ testTimeout: 120_000 });
let rig: ApiRig;
const sockets: Socket[] = [];
beforeAll(async () => {
  rig = await openApiRig();
  await rig.plane.ready();
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await rig.close();
});

/** A connection on which these bytes were sent; what it hears, and whether the server has ended it. */
function rawly(bytes: string): { readonly socket: Socket; heard: string; isOver: boolean } {
  const socket = connect(Number(new URL(rig.plane.url).port), '127.0.0.1');
  const one = { socket, heard: '', isOver: false };
  sockets.push(socket);
  socket.on('error', () => undefined).on('close', () => (one.isOver = true));
  socket.on('data', (chunk: Buffer) => (one.heard += chunk.toString()));
  socket.write(bytes);
  return one;
}
const answered = async (bytes: string): Promise<string> => {
  const one = rawly(bytes);
  await vi.waitUntil(() => one.heard.includes('\r\n\r\n') || one.isOver, { timeout: 30_000 });
  one.socket.destroy();
  return one.heard;
};
const HALF_A_STOP = `POST /halt HTTP/1.1\r\nHost: x\r\nX-API-Key: ${KEYS.stop}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"re`;
const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe('requests that are hardly any', () => {
  it.each([
    ['no HTTP at all', 'what is this\r\n\r\n', 400],
    ['more headers than anybody sends', `GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(100_000)}\r\n\r\n`, 431],
    [
      'two lengths',
      `POST /halt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a path with half a character in it', GET('/stops/hunter2%E0%A4%A'), 400],
    ['a path that is longer than any', GET(`/stops/${'hunter2'.repeat(1_000)}`), 400],
    ['another method', `PUT /halt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`, 405],
    ['another method on a path that varies', `DELETE /stops/hunter2 HTTP/1.1\r\nHost: x\r\n\r\n`, 405],
    ['a path that lacks its end', GET('/stops/'), 404],
    ['another method on no path at all', `DELETE /hunter2 HTTP/1.1\r\nHost: x\r\n\r\n`, 404],
  ])('have a problem document for an answer, which repeats nothing: %s', async (_, bytes, status) => {
    const answer = await answered(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer).toContain('"urn:killdrill:');
    expect(answer).not.toContain('hunter2');
  });

  it('find the stop with an id as long as ids may be', async () => {
    const id = `${'ö'.repeat(149)}/${'💥'.repeat(75)}`;
    expect((await rig.post('/halt', { id, reason: 'x', scope: 'run', target: 'r' }, KEYS.stop)).status).toBe(200);
    const { status, json } = await rig.get(`/stops/${encodeURIComponent(id)}`);
    expect([status, json]).toMatchObject([200, { id }]);
  });

  it('make no watcher of somebody who asks for the head of what never ends', async () => {
    expect(await answered('HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 40[45] /);
    expect((await rig.get('/metrics')).text).toContain('killdrill_watchers 0');
  });
});

describe('clients that begin and never end', () => {
  it('keep no stop from being taken, are cut off, and are no error of the server', async () => {
    const before = rig.errors.length;
    const halves = Array.from({ length: 300 }, (_, nth) => rawly(nth % 2 === 0 ? 'GET /hea' : HALF_A_STOP));
    const gone = rawly(HALF_A_STOP);
    await vi.waitUntil(() => gone.socket.bytesWritten > 0 && !gone.socket.connecting);
    gone.socket.destroy();
    const body = { id: 'in-between', reason: 'x', scope: 'run', target: 'r' };
    expect((await rig.post('/halt', body, KEYS.stop)).status).toBe(200);
    await vi.waitUntil(() => halves.every(({ isOver }) => isOver), { timeout: 40_000 });
    for (const { heard } of halves) expect(heard).toMatch(/^HTTP\/1.1 408 .*"REQUEST_TIMEOUT"/s);
    expect(rig.errors.slice(before)).toEqual([]);
  });

  it('keep no server from ending: not half a request, nor answers and events that nobody reads', async () => {
    const other = await openApiRig();
    await other.plane.ready();
    const port = Number(new URL(other.plane.url).port);
    const big = Array.from({ length: 40 }, (_, nth) =>
      other.post('/halt', { id: `big-${nth}`, reason: 'x'.repeat(2_000), scope: 'run', target: 'r' }, KEYS.stop),
    );
    await Promise.all(big);
    const deaf = [HALF_A_STOP, GET('/flips?limit=1000').repeat(100), GET('/events')].map((bytes) => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket.pause());
      socket.write(bytes);
      return socket;
    });
    await vi.waitUntil(async () => (await other.get('/metrics')).text.includes('killdrill_watchers 1'));
    let isClosed = false;
    const closing = other.close().then(() => (isClosed = true));
    await vi.waitUntil(() => isClosed, { timeout: 9_000, interval: 100 });
    for (const socket of deaf) socket.destroy();
    await closing;
  });
});
