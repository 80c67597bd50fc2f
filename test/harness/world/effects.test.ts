import { afterEach, describe, expect, it, vi } from 'vitest';
import { openWorld, post, primed, rawConnection, run, step } from './world-client.ts';
import type { TestWorld } from './world-client.ts';

let at: TestWorld | null = null;
afterEach(async () => {
  await at?.close();
  at = null;
});

function open(...args: Parameters<typeof openWorld>): TestWorld {
  at = openWorld(...args);
  return at;
}

const soon = { timeout: 5000, interval: 2 };
const LONG_MS = 60_000;

describe('an effect', () => {
  it('arrives, takes its service time, lands and is answered', async () => {
    const { world, history } = open([run('r1', [step('read/crm'), step('write/mail', 30)])]);
    const { url, id } = await world.openChannel('worker-1');
    expect(await post(url, 'write/mail', { run: 'r1', key: 'k1' }).answer).toEqual({
      status: 200,
      body: { landed: true },
    });
    expect(history.of('effect.arrived')).toMatchObject([
      {
        effect: 1,
        channel: id,
        worker: 'worker-1',
        run: 'r1',
        capability: 'write/mail',
        key: 'k1',
        step: 1,
        repeat: false,
      },
    ]);
    const [arrived] = history.of('effect.arrived');
    const [landed] = history.of('effect.landed');
    // A timer of this length may be up to 1 ms early by the monotonic clock.
    expect((landed?.t0 ?? 0) - (arrived?.t1 ?? 0)).toBeGreaterThan(28e6);
    expect(world.counts()).toMatchObject({ inFlight: 0, channels: [{ arrived: 1, landed: 1, closed: 0, open: 0 }] });
  });

  it('takes the first step of its capability that none has taken, and none once all are taken', async () => {
    const { world, history } = open([run('r1', [step('write/mail'), step('read/crm'), step('write/mail')])]);
    const { url } = await world.openChannel('w');
    for (const key of ['a', 'b', 'c']) await post(url, 'write/mail', { run: 'r1', key }).answer;
    await post(url, 'write/other', { run: 'r1', key: 'd' }).answer;
    expect(history.of('effect.arrived').map((event) => event.step)).toEqual([0, 2, null, null]);
    expect(history.of('effect.landed')).toHaveLength(4);
  });

  it('lands once by its key: a repeat keeps its step and is answered at once', async () => {
    const { world, history } = open([run('r1', [step('write/mail', 5), step('write/mail', LONG_MS)])]);
    const { url } = await world.openChannel('w');
    for (let i = 0; i < 3; i += 1) {
      expect((await post(url, 'write/mail', { run: 'r1', key: 'a' }).answer).body).toEqual({ landed: true });
    }
    expect(history.of('effect.arrived').map((event) => [event.step, event.repeat])).toEqual([
      [0, false],
      [0, true],
      [0, true],
    ]);
    expect(history.of('effect.landed')).toHaveLength(1);
  });

  it('lands once when its repeat comes while it is under way', async () => {
    const { world, history } = open([run('r1', [step('write/mail', 40)])]);
    const { url } = await world.openChannel('w');
    const both = [0, 1].map(() => post(url, 'write/mail', { run: 'r1', key: 'a' }).answer);
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    expect(history.of('effect.landed')).toHaveLength(1);
  });

  it('is another effect under the same key in another run', async () => {
    const { world, history } = open([run('r1', [step('write/mail')]), run('r2', [step('write/mail')])]);
    const { url } = await world.openChannel('w');
    await post(url, 'write/mail', { run: 'r1', key: 'a' }).answer;
    await post(url, 'write/mail', { run: 'r2', key: 'a' }).answer;
    expect(history.of('effect.arrived').map((event) => event.repeat)).toEqual([false, false]);
    expect(history.of('effect.landed')).toHaveLength(2);
  });

  it('does not land when its caller closes the connection, and the close is seen', async () => {
    const { world, history } = open([run('r1', [step('write/mail', 300)])]);
    const { url } = await world.openChannel('w');
    const call = post(url, 'write/mail', { run: 'r1', key: 'a' });
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(1), soon);
    call.request.destroy();
    await vi.waitFor(() => expect(history.of('effect.closed')).toMatchObject([{ effect: 1, by: 'worker' }]), soon);
    expect(world.counts()).toMatchObject({ inFlight: 0, channels: [{ landed: 0, closed: 1 }] });
    await post(url, 'write/mail', { run: 'r1', key: 'b' }).answer;
    expect(history.of('effect.landed').map(({ effect }) => effect)).toEqual([2]);
  });

  it('lands after the abort in a downstream that does, after its service time', async () => {
    const { world, history } = open([run('r1', [step('write/mail', 60)])], { downstream: { landsAfterAbort: true } });
    const { url } = await world.openChannel('w');
    const call = post(url, 'write/mail', { run: 'r1', key: 'a' });
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(1), soon);
    call.request.destroy();
    await vi.waitFor(() => expect(history.of('effect.landed')).toHaveLength(1), soon);
    expect(history.types()).toEqual(['effect.arrived', 'effect.closed', 'effect.landed']);
  });

  it('does not land after the abort when only half of it came in', async () => {
    const { world, history } = open([run('r1', [step('write/mail', 20)])], { downstream: { landsAfterAbort: true } });
    const { url, port } = await world.openChannel('w');
    const socket = await rawConnection(port);
    const path = `${new URL(url).pathname}/effects/write/mail`;
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nx-run: r1\r\nidempotency-key: k\r\ncontent-length: 50\r\n\r\nhalf`,
    );
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(1), soon);
    socket.destroy();
    await vi.waitFor(() => expect(history.of('effect.closed')).toHaveLength(1), soon);
    await post(url, 'write/mail', { run: 'r1', key: 'b' }).answer;
    expect(history.of('effect.landed').map(({ effect }) => effect)).toEqual([2]);
  });

  it('is closed by the harness at the end', async () => {
    const { world, history } = open([run('r1', [step('write/mail', LONG_MS)])]);
    const { url } = await world.openChannel('w');
    const call = post(url, 'write/mail', { run: 'r1', key: 'a' });
    await vi.waitFor(() => expect(world.counts().inFlight).toBe(1), soon);
    world.closeOpenCalls();
    await expect(call.answer).rejects.toThrow();
    expect(history.of('effect.closed')).toMatchObject([{ effect: 1, by: 'harness' }]);
    expect(world.counts().inFlight).toBe(0);
  });

  it('is one of 200 at once, and each is answered, landed and counted', async () => {
    const runs = Array.from({ length: 200 }, (_, i) => run(`r${i}`, [step('write/mail', 20)]));
    const { world, history } = open(runs);
    const { url } = await world.openChannel('w');
    const calls = runs.map(({ run: of }) => post(url, 'write/mail', { run: of, key: `k-${of}` }).answer);
    const answers = await Promise.all(calls);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(history.of('effect.landed')).toHaveLength(200);
    expect(new Set(history.of('effect.arrived').map(({ effect }) => effect)).size).toBe(200);
    for (const { t0, t1 } of history.of('effect.arrived')) expect(t0).toBeLessThanOrEqual(t1);
    expect(world.counts()).toMatchObject({
      inFlight: 0,
      unattributed: 0,
      channels: [{ arrived: 200, landed: 200, open: 0 }],
    });
  });
});

describe('exposure', () => {
  it('counts the open calls in scope of each worker, and the held ones with what is left of their hold', async () => {
    const { world } = open([primed('p1', LONG_MS), run('r1', [step('read/crm', LONG_MS)])]);
    const one = await world.openChannel('worker-1');
    await world.openChannel('worker-2');
    const calls = [
      post(one.url, 'write/mail', { run: 'p1', key: 'a' }),
      post(one.url, 'read/crm', { run: 'r1', key: 'b' }),
    ];
    await vi.waitFor(() => expect(world.counts().inFlight).toBe(2), soon);
    const [first, second] = world.exposure((_run, capability) => capability === 'write/mail');
    expect(first).toMatchObject({ worker: 'worker-1', open: 1, held: [{ effect: expect.any(Number), held: true }] });
    expect(first?.held[0]?.remainingMs).toBeGreaterThan(0);
    expect(first?.held[0]?.remainingMs).toBeLessThanOrEqual(LONG_MS);
    expect(second).toEqual({ worker: 'worker-2', open: 0, held: [] });
    expect(world.exposure(() => true)[0]).toMatchObject({ open: 2 });
    expect(world.exposure(() => false)[0]).toMatchObject({ open: 0, held: [] });
    for (const { request } of calls) request.destroy();
    await vi.waitFor(() => expect(world.exposure(() => true)[0]).toMatchObject({ open: 0 }), soon);
  });
});
