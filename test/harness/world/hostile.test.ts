import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { SOON, child, get, openForTest, post, rawConnection, run, send, spawn, step } from './world-client.ts';
import type { TestWorld } from './world-client.ts';

const limits = { bodyBytes: 2000, connections: 50, openCalls: 5, openPolls: 3, requestMs: 300 };

function open(): TestWorld {
  const parent = run('p', [spawn('p.0', { serviceMs: 60_000 })]);
  const runs = [run('r1', [step('write/mail')]), run('slow', [step('write/mail', 60_000)])];
  return openForTest([...runs, parent, child(parent, 0, [step('write/mail')])], { limits });
}

/** That the channel still works is what every hostile request is followed by. */
async function expectStillServing({ world }: TestWorld, url: string): Promise<void> {
  const { arrived = 0 } = world.counts().channels[0] ?? {};
  const { status } = await post(url, 'write/mail', { run: 'r1', key: `after-${arrived}` }).answer;
  expect(status).toBe(200);
}

describe('a request that cannot be attributed', () => {
  const headers = { 'x-run': 'r1', 'idempotency-key': 'k' };
  it.each([
    ['a wrong token', '/0123456789abcdef0123456789abcdef/effects/write/mail', 'POST', headers, 403, /no token of this/],
    ['no token', '/effects/write/mail', 'POST', headers, 403, /no token of this/],
    ['the bare path', '/', 'GET', {}, 403, /no token/],
    ['a section that is none', 'T/other', 'GET', {}, 404, /neither/],
    ['effects without a capability', 'T/effects', 'POST', headers, 400, /no capability/],
    ['an empty capability', 'T/effects//', 'POST', headers, 400, /no capability/],
    ['a capability of odd characters', 'T/effects/write/%00', 'POST', headers, 400, /no capability/],
    ['an escape that is none', 'T/effects/%zz', 'POST', headers, 400, /no capability/],
    ['a very long capability', `T/effects/${'a'.repeat(500)}`, 'POST', headers, 400, /no capability/],
    ['another method', 'T/effects/write/mail', 'PUT', headers, 405, /PUT where POST/],
    ['work by another method', 'T/work', 'POST', {}, 405, /POST where GET/],
    ['no run', 'T/effects/write/mail', 'POST', { 'idempotency-key': 'k' }, 400, /x-run/],
    ['no key', 'T/effects/write/mail', 'POST', { 'x-run': 'r1' }, 400, /idempotency-key/],
    ['an unknown run', 'T/effects/write/mail', 'POST', { ...headers, 'x-run': 'r9' }, 404, /run r9 is not/],
    [
      'a run named as a part of Object',
      'T/effects/write/mail',
      'POST',
      { ...headers, 'x-run': '__proto__' },
      404,
      /run __proto__/,
    ],
    ['runs by another method', 'T/runs', 'GET', {}, 405, /GET where POST/],
    ['more below runs', 'T/runs/r1', 'POST', headers, 404, /neither/],
    ['a child of no run', 'T/runs', 'POST', { 'idempotency-key': 'k' }, 400, /x-run/],
    ['a child without a key', 'T/runs', 'POST', { 'x-run': 'r1' }, 400, /idempotency-key/],
    [
      'a child under a very long key',
      'T/runs',
      'POST',
      { ...headers, 'idempotency-key': 'k'.repeat(500) },
      400,
      /idempotency-key/,
    ],
    ['a child of an unknown run', 'T/runs', 'POST', { ...headers, 'x-run': 'r9' }, 404, /run r9 is not/],
    [
      'a child of a child that nobody started',
      'T/runs',
      'POST',
      { ...headers, 'x-run': 'p.0' },
      404,
      /nobody has started/,
    ],
    ['a child with too large a body', 'T/runs', 'POST', { ...headers, 'content-length': '3000' }, 413, /2000 bytes/],
    ['a child by way of effects', 'T/effects/agent/spawn', 'POST', headers, 400, /asked for at \/runs/],
    [
      'an effect of a child that nobody started',
      'T/effects/write/mail',
      'POST',
      { ...headers, 'x-run': 'p.0' },
      404,
      /p.0 is a child that nobody has started/,
    ],
    ['too large a body', 'T/effects/write/mail', 'POST', { ...headers, 'content-length': '3000' }, 413, /2000 bytes/],
  ])('%s is refused and recorded', async (_what, path, method, given, status, why) => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const target = path.startsWith('T') ? `${url}${path.slice(1)}` : `http://127.0.0.1:${port}${path}`;
    const body = 'content-length' in given ? 'x'.repeat(3000) : '';
    expect((await send(target, method, given as Record<string, string>, body).answer).status).toBe(status);
    expect(test.history.of('effect.unattributed')).toMatchObject([{ port, why: expect.stringMatching(why) }]);
    expect(test.history.of('effect.arrived')).toEqual([]);
    expect(JSON.stringify(test.history.events)).not.toContain(new URL(url).pathname.slice(1));
    await expectStillServing(test, url);
  });

  it('another worker’s token is told from a wrong one', async () => {
    const { world, history } = open();
    const mine = await world.openChannel('worker-1');
    const other = await world.openChannel('worker-2');
    const crossed = `http://127.0.0.1:${mine.port}${new URL(other.url).pathname}`;
    expect((await post(crossed, 'write/mail', { run: 'r1', key: 'k' }).answer).status).toBe(403);
    expect(history.of('effect.unattributed')).toMatchObject([
      { port: mine.port, why: expect.stringContaining('another channel') },
    ]);
  });

  it('a flood of them is counted whole and recorded up to a bound', async () => {
    const { world, history, agent } = open();
    const { port } = await world.openChannel('w');
    for (let i = 0; i < 1100; i += 1) await get(`http://127.0.0.1:${port}/x`, agent).answer;
    expect(world.counts().unattributed).toBe(1100);
    expect(history.of('effect.unattributed')).toHaveLength(1000);
  });
});

describe('a hostile client', () => {
  it('that sends junk is answered 400, recorded and cut', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    for (const junk of [
      '\0\x01\x02 what is this\r\n\r\n',
      'GET\r\n\r\n',
      `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const socket = await rawConnection(port);
      socket.write(junk);
      await once(socket.resume(), 'close');
    }
    expect(test.history.of('effect.unattributed')).toHaveLength(3);
    await expectStillServing(test, url);
  });

  it('that pipelines junk behind an effect loses the connection, and the effect is closed by the harness', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const path = `${new URL(url).pathname}/effects/write/mail`;
    const socket = await rawConnection(port);
    socket.write(
      `POST ${path} HTTP/1.1\r\nx-run: slow\r\nidempotency-key: k\r\ncontent-length: 0\r\n\r\njunk junk junk\r\n\r\n`,
    );
    await once(socket.resume(), 'close');
    await vi.waitFor(() => expect(test.history.of('effect.closed')).toHaveLength(1), SOON);
    expect(test.history.types()).toEqual(['effect.arrived', 'effect.unattributed', 'effect.closed']);
    expect(test.history.of('effect.closed')).toMatchObject([{ effect: 1, by: 'harness' }]);
    await expectStillServing(test, url);
  });

  it('that pipelines effects has each of them recorded and, when it goes, closed', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const path = `${new URL(url).pathname}/effects/write/mail`;
    const one = (key: string): string =>
      `POST ${path} HTTP/1.1\r\nx-run: slow\r\nidempotency-key: ${key}\r\ncontent-length: 0\r\n\r\n`;
    const socket = await rawConnection(port);
    socket.write(one('a') + one('b') + one('c'));
    await vi.waitFor(() => expect(test.world.counts().inFlight).toBe(3), SOON);
    socket.destroy();
    await vi.waitFor(() => expect(test.history.of('effect.closed')).toHaveLength(3), SOON);
    expect(test.world.counts()).toMatchObject({ inFlight: 0, unattributed: 0, channels: [{ open: 0 }] });
    await expectStillServing(test, url);
  });

  it('that trickles its headers is cut', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const socket = await rawConnection(port);
    socket.write('POST /');
    const trickle = setInterval(() => socket.write('x'), 20);
    await once(socket.resume(), 'close');
    clearInterval(trickle);
    expect(test.history.of('effect.unattributed')).toMatchObject([{ why: expect.stringContaining('TIMEOUT') }]);
    await expectStillServing(test, url);
  });

  it('that trickles its body is cut, and its effect never lands', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const path = `${new URL(url).pathname}/effects/write/mail`;
    const socket = await rawConnection(port);
    socket.write(`POST ${path} HTTP/1.1\r\nx-run: r1\r\nidempotency-key: k\r\ncontent-length: 1000\r\n\r\n`);
    const trickle = setInterval(() => socket.write('x'), 20);
    await once(socket.resume(), 'close');
    clearInterval(trickle);
    await vi.waitFor(
      () => expect(test.history.of('effect.closed')).toMatchObject([{ effect: 1, by: 'harness' }]),
      SOON,
    );
    expect(test.history.of('effect.landed')).toEqual([]);
  });

  it('that says nothing is no finding, and neither is one that idles between calls', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    expect((await post(url, 'write/mail', { run: 'r1', key: 'a', agent: test.agent }).answer).status).toBe(200);
    const silent = await rawConnection(port);
    await once(silent.resume(), 'close');
    const call = post(url, 'write/mail', { run: 'r1', key: 'b', agent: test.agent });
    expect((await call.answer).status).toBe(200);
    expect(call.request.reusedSocket).toBe(true);
    expect(test.world.counts().unattributed).toBe(0);
  });

  it('that sends a body without end is refused, though its effect has arrived', async () => {
    const test = open();
    const { url } = await test.world.openChannel('w');
    const path = `${new URL(url).pathname}/effects/write/mail`;
    const socket = await rawConnection(Number(new URL(url).port));
    socket.write(`POST ${path} HTTP/1.1\r\nx-run: slow\r\nidempotency-key: k\r\ntransfer-encoding: chunked\r\n\r\n`);
    const flood = setInterval(() => socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n`), 1);
    await once(socket.resume(), 'close');
    clearInterval(flood);
    expect(test.history.types()).toEqual(['effect.arrived', 'effect.failed', 'effect.unattributed']);
    expect(test.world.counts()).toMatchObject({ inFlight: 0, channels: [{ failed: 1, open: 0 }] });
    await expectStillServing(test, url);
  });

  it('that sends too large a body behind a repeat that was answered is recorded and cut', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    expect((await post(url, 'write/mail', { run: 'r1', key: 'k' }).answer).status).toBe(200);
    const socket = await rawConnection(port);
    const path = `${new URL(url).pathname}/effects/write/mail`;
    socket.write(`POST ${path} HTTP/1.1\r\nx-run: r1\r\nidempotency-key: k\r\ntransfer-encoding: chunked\r\n\r\n`);
    const flood = setInterval(() => socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n`), 1);
    await once(socket.resume(), 'close');
    clearInterval(flood);
    expect(test.history.of('effect.unattributed')).toMatchObject([{ why: expect.stringContaining('2000 bytes') }]);
    await expectStillServing(test, url);
  });

  it('that asks for children in odd ways is recorded each time, and no child starts', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const path = new URL(url).pathname;
    const head = 'x-run: p\r\nidempotency-key: k\r\n';
    for (const text of [
      `POST ${path}/runs HTTP/1.1\r\n${head}content-length: 50\r\n\r\nhalf`,
      `POST ${path}/runs HTTP/1.1\r\n${head}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      `POST ${path}/runs HTTP/1.1\r\n${head}x-run: r1\r\ncontent-length: 0\r\n\r\n`,
      `POST ${path}/runs/%2e%2e/effects HTTP/1.1\r\n${head}content-length: 0\r\n\r\n`,
    ]) {
      const before = test.history.of('effect.arrived').length + test.world.counts().unattributed;
      const socket = await rawConnection(port);
      socket.end(text);
      await once(socket.resume(), 'close');
      expect(test.history.of('effect.arrived').length + test.world.counts().unattributed, text).toBeGreaterThan(before);
    }
    expect(test.history.of('run.spawned')).toEqual([]);
    expect(test.world.counts().inFlight).toBe(0);
    await expectStillServing(test, url);
  });

  it('that never reads the pieces of its answers holds up nobody', async () => {
    const plan = Array.from({ length: 20 }, () => ({ ...step('model/chat', 80), kind: 'stream' as const }));
    const at = openForTest([run('r1', [step('write/mail'), ...plan])], { limits: { ...limits, openCalls: 50 } });
    const { world, history } = at;
    const { url, port } = await world.openChannel('w');
    const path = `${new URL(url).pathname}/effects/model/chat`;
    const socket = await rawConnection(port);
    socket.pause();
    const one = (key: number): string =>
      `POST ${path} HTTP/1.1\r\nx-run: r1\r\nidempotency-key: ${key}\r\ncontent-length: 0\r\n\r\n`;
    socket.write(plan.map((_, key) => one(key)).join(''));
    await vi.waitFor(() => expect(history.of('effect.landed')).toHaveLength(20), SOON);
    await expectStillServing(at, url);
    socket.destroy();
    expect(world.counts()).toMatchObject({ inFlight: 0, unattributed: 0 });
  });

  it('that speaks HTTP in odd ways is served or recorded, never silently dropped', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const path = `${new URL(url).pathname}/effects/write/mail`;
    const head = 'x-run: r1\r\nidempotency-key: k\r\ncontent-length: 0\r\nconnection: close\r\n';
    for (const text of [
      `POST ${path} HTTP/1.1\r\n${head}expect: miracles\r\n\r\n`,
      `POST ${path} HTTP/1.1\r\n${head}upgrade: websocket\r\n\r\n`,
      `POST ${path} HTTP/1.0\r\n${head}\r\n`,
      `CONNECT ${path} HTTP/1.1\r\nhost: x\r\n\r\n`,
      `POST ${path} HTTP/1.1\r\n${head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ]) {
      const before = test.history.of('effect.arrived').length + test.world.counts().unattributed;
      const socket = await rawConnection(port);
      socket.write(text);
      await once(socket.resume(), 'close');
      expect(test.history.of('effect.arrived').length + test.world.counts().unattributed, text).toBe(before + 1);
    }
    await expectStillServing(test, url);
  });

  it('that opens more than its share of calls, polls or connections is held to it', async () => {
    const test = open();
    const { url, port } = await test.world.openChannel('w');
    const polls = Array.from({ length: 4 }, () => get(`${url}/work`));
    await Promise.race(polls.map(({ answer }) => answer.then(({ status }) => expect(status).toBe(429))));
    for (const { request } of polls) request.destroy();
    const calls = Array.from({ length: 6 }, (_, i) => post(url, 'write/mail', { run: 'slow', key: `k${i}` }));
    await Promise.race(calls.map(({ answer }) => answer.then(({ status }) => expect(status).toBe(429))));
    expect(test.world.counts()).toMatchObject({ inFlight: 5, unattributed: 1 });
    const sockets = await Promise.all(Array.from({ length: 50 }, () => rawConnection(port)));
    await vi.waitFor(() => expect(test.world.counts().unattributed).toBeGreaterThan(1), SOON);
    for (const socket of sockets) socket.destroy();
    for (const { request } of calls) request.destroy();
    await vi.waitFor(() => expect(test.world.counts().inFlight).toBe(0), SOON);
    await vi.waitFor(() => expectStillServing(test, url), SOON);
  });
});

describe('a world that is closed', () => {
  it('leaves no port, no connection and no timer', async () => {
    const test = openForTest([run('slow', [step('write/mail', 60_000)]), run('late', [step('read/crm')], 60_000)], {
      downstream: { landsAfterAbort: true },
    });
    const { world, clock, history } = test;
    const { url, port } = await world.openChannel('w');
    await world.openChannel('w2');
    world.startArrivals(clock.nowNs());
    const call = post(url, 'write/mail', { run: 'slow', key: 'a' });
    const orphan = post(url, 'write/mail', { run: 'slow', key: 'b' });
    const poll = get(`${url}/work`);
    await vi.waitFor(() => expect(world.counts().inFlight).toBe(2), SOON);
    orphan.request.destroy();
    await vi.waitFor(() => expect(world.counts().inFlight).toBe(1), SOON);
    expect((await poll.answer).status).toBe(200);
    await Promise.all([test.close(), test.close()]);
    await expect(call.answer).rejects.toThrow();
    expect(history.of('effect.closed').map(({ by }) => by)).toEqual(['worker', 'harness']);
    await expect(get(`http://127.0.0.1:${port}/`).answer).rejects.toThrow(/ECONNREFUSED/);
    await expect(world.openChannel('w3')).rejects.toMatchObject({ code: 'WORLD_CLOSED' });
    const left = process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap');
    expect(left).toEqual([]);
  });

  it('witnesses what a worker had sent before its channel is closed', async () => {
    const { world, history } = open();
    const channel = await world.openChannel('w');
    const path = `${new URL(channel.url).pathname}/effects/write/mail`;
    const sockets = await Promise.all([1, 2, 3].map(() => rawConnection(channel.port)));
    sockets.forEach((socket, i) =>
      socket.end(`POST ${path} HTTP/1.1\r\nx-run: slow\r\nidempotency-key: k${i}\r\ncontent-length: 0\r\n\r\n`),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'finish')));
    await channel.close();
    expect(history.of('effect.arrived')).toHaveLength(3);
    expect(history.of('effect.closed')).toHaveLength(3);
  });
});
