import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { LONG_MS, SOON, openForTest, post, primed, rawConnection, run, step } from './world-client.ts';

describe('an effect', () => {
  it('arrives, takes its service time, lands and is answered', async () => {
    const { world, history } = openForTest([run('r1', [step('read/crm'), step('write/mail', 30)])]);
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
    const { world, history } = openForTest([run('r1', [step('write/mail'), step('read/crm'), step('write/mail')])]);
    const { url } = await world.openChannel('w');
    for (const key of ['a', 'b', 'c']) await post(url, 'write/mail', { run: 'r1', key }).answer;
    await post(url, 'write/other', { run: 'r1', key: 'd' }).answer;
    expect(history.of('effect.arrived').map((event) => event.step)).toEqual([0, 2, null, null]);
    expect(history.of('effect.landed')).toHaveLength(4);
  });

  it('takes the step that its key names, whatever came before it, and another one if that is none of its own', async () => {
    const { world, history } = openForTest([
      run(
        'r1',
        ['write/mail', 'read/crm', 'write/mail', 'write/mail'].map((of) => step(of)),
      ),
    ]);
    const { url } = await world.openChannel('w');
    for (const key of ['r1/2', 'r1/0', 'r1/2', 'r1/1', 'r2/3', 'r1/0x']) {
      await post(url, 'write/mail', { run: 'r1', key }).answer;
    }
    expect(history.of('effect.arrived').map((event) => event.step)).toEqual([2, 0, 2, 3, null, null]);
  });

  it('lands once by its key: a repeat keeps its step and is answered at once', async () => {
    const { world, history } = openForTest([run('r1', [step('write/mail', 5), step('write/mail', LONG_MS)])]);
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
    const { world, history } = openForTest([run('r1', [step('write/mail', 40)])]);
    const { url } = await world.openChannel('w');
    const both = [0, 1].map(() => post(url, 'write/mail', { run: 'r1', key: 'a' }).answer);
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    expect(history.of('effect.landed')).toHaveLength(1);
  });

  it('is another effect under the same key in another run', async () => {
    const { world, history } = openForTest([run('r1', [step('write/mail')]), run('r2', [step('write/mail')])]);
    const { url } = await world.openChannel('w');
    await post(url, 'write/mail', { run: 'r1', key: 'a' }).answer;
    await post(url, 'write/mail', { run: 'r2', key: 'a' }).answer;
    expect(history.of('effect.arrived').map((event) => event.repeat)).toEqual([false, false]);
    expect(history.of('effect.landed')).toHaveLength(2);
  });

  it('does not land when its caller closes the connection, and the close is seen', async () => {
    const { world, history } = openForTest([run('r1', [step('write/mail', 300)])]);
    const { url } = await world.openChannel('w');
    const call = post(url, 'write/mail', { run: 'r1', key: 'a' });
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(1), SOON);
    call.request.destroy();
    await vi.waitFor(() => expect(history.of('effect.closed')).toMatchObject([{ effect: 1, by: 'worker' }]), SOON);
    expect(world.counts()).toMatchObject({ inFlight: 0, channels: [{ landed: 0, closed: 1 }] });
    await post(url, 'write/mail', { run: 'r1', key: 'b' }).answer;
    expect(history.of('effect.landed').map(({ effect }) => effect)).toEqual([2]);
  });

  it('lands after the abort in a downstream that does, after its service time', async () => {
    const { world, history } = openForTest([run('r1', [step('write/mail', 60)])], {
      downstream: { landsAfterAbort: true },
    });
    const { url } = await world.openChannel('w');
    const call = post(url, 'write/mail', { run: 'r1', key: 'a' });
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(1), SOON);
    call.request.destroy();
    await vi.waitFor(() => expect(history.of('effect.landed')).toHaveLength(1), SOON);
    expect(history.types()).toEqual(['effect.arrived', 'effect.closed', 'effect.landed']);
  });

  it('does not land after the abort when only half of it came in', async () => {
    const { world, history } = openForTest([run('r1', [step('write/mail', 20)])], {
      downstream: { landsAfterAbort: true },
    });
    const { url, port } = await world.openChannel('w');
    const socket = await rawConnection(port);
    const path = `${new URL(url).pathname}/effects/write/mail`;
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nx-run: r1\r\nidempotency-key: k\r\ncontent-length: 50\r\n\r\nhalf`,
    );
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(1), SOON);
    socket.destroy();
    await vi.waitFor(() => expect(history.of('effect.closed')).toHaveLength(1), SOON);
    await post(url, 'write/mail', { run: 'r1', key: 'b' }).answer;
    expect(history.of('effect.landed').map(({ effect }) => effect)).toEqual([2]);
  });

  it('is closed by the harness at the end', async () => {
    const { world, history } = openForTest([run('r1', [step('write/mail', LONG_MS)])]);
    const { url } = await world.openChannel('w');
    const call = post(url, 'write/mail', { run: 'r1', key: 'a' });
    await vi.waitFor(() => expect(world.counts().inFlight).toBe(1), SOON);
    world.closeOpenCalls();
    await expect(call.answer).rejects.toThrow();
    expect(history.of('effect.closed')).toMatchObject([{ effect: 1, by: 'harness' }]);
    expect(world.counts().inFlight).toBe(0);
  });

  it('is one of 200 at once, and each is answered, landed and counted', async () => {
    const runs = Array.from({ length: 200 }, (_, i) => run(`r${i}`, [step('write/mail', 20)]));
    const { world, history } = openForTest(runs);
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

describe('an effect that its downstream refuses at first', () => {
  const flaky = [run('r1', [{ ...step('write/mail', LONG_MS), refusals: 2, delayMs: 10 }])];

  it('is answered 503 for so many attempts of its key, and then served', async () => {
    const { world, history } = openForTest([run('r1', [{ ...step('write/mail', 5), refusals: 2, delayMs: 10 }])]);
    const { url } = await world.openChannel('w');
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1)
      statuses.push((await post(url, 'write/mail', { run: 'r1', key: 'a' }).answer).status);
    expect(statuses).toEqual([503, 503, 200, 200]);
    expect(history.of('effect.arrived').map(({ step: of, repeat }) => [of, repeat])).toEqual([
      [0, false],
      [0, true],
      [0, true],
      [0, true],
    ]);
    expect(history.of('effect.failed').map(({ effect }) => effect)).toEqual([1, 2]);
    expect(history.of('effect.landed').map(({ effect }) => effect)).toEqual([3]);
    expect(world.counts()).toMatchObject({ inFlight: 0, channels: [{ arrived: 4, failed: 2, landed: 1, open: 0 }] });
  });

  it('is refused at once, however long it would have taken', async () => {
    const { world } = openForTest(flaky);
    const { url } = await world.openChannel('w');
    expect(await post(url, 'write/mail', { run: 'r1', key: 'a' }).answer).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('try again') },
    });
  });

  it('is closed, not failed, when its caller goes before the request is in', async () => {
    const { world, history } = openForTest(flaky, { downstream: { landsAfterAbort: true } });
    const { url, port } = await world.openChannel('w');
    const socket = await rawConnection(port);
    const path = `${new URL(url).pathname}/effects/write/mail`;
    socket.write(`POST ${path} HTTP/1.1\r\nx-run: r1\r\nidempotency-key: k\r\ncontent-length: 50\r\n\r\nhalf`);
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(1), SOON);
    socket.destroy();
    await vi.waitFor(() => expect(history.of('effect.closed')).toMatchObject([{ by: 'worker' }]), SOON);
    expect(history.of('effect.failed')).toEqual([]);
    expect(world.counts()).toMatchObject({ inFlight: 0, channels: [{ open: 0 }] });
  });
});

describe('a call that is answered in pieces', () => {
  const streamed = (serviceMs: number) => [run('r1', [{ ...step('model/chat', serviceMs), kind: 'stream' }])];

  it('has its first piece at once, some more, and a last one when it lands', async () => {
    const { world, history } = openForTest(streamed(120));
    const { url } = await world.openChannel('w');
    expect(await post(url, 'model/chat', { run: 'r1', key: 'a' }).answer).toEqual({
      status: 200,
      body: [{ piece: 1 }, { piece: 2 }, { landed: true }],
    });
    const [[arrived], [landed]] = [history.of('effect.arrived'), history.of('effect.landed')];
    expect((landed?.t0 ?? 0) - (arrived?.t1 ?? 0)).toBeGreaterThan(115e6);
    expect(await post(url, 'model/chat', { run: 'r1', key: 'a' }).answer).toEqual({
      status: 200,
      body: [{ landed: true }],
    });
    expect(history.of('effect.landed')).toHaveLength(1);
  });

  it('has not more than eight parts, however long it takes', async () => {
    const { world } = openForTest(streamed(900));
    const { url } = await world.openChannel('w');
    const { body } = await post(url, 'model/chat', { run: 'r1', key: 'a' }).answer;
    expect(body).toHaveLength(9);
  });

  it('does not land when its caller hangs up in the midst of it, and lands all the same in a downstream that does', async () => {
    for (const landsAfterAbort of [false, true]) {
      const test = openForTest(streamed(300), { downstream: { landsAfterAbort } });
      const { world, history } = test;
      const { url } = await world.openChannel('w');
      const { request } = post(url, 'model/chat', { run: 'r1', key: 'a' });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await once(response, 'data');
      expect(world.counts().inFlight).toBe(1);
      request.destroy();
      await vi.waitFor(() => expect(history.of('effect.closed')).toMatchObject([{ by: 'worker' }]), SOON);
      await post(url, 'other/thing', { run: 'r1', key: 'later' }).answer;
      if (landsAfterAbort) await vi.waitFor(() => expect(history.of('effect.landed')).toHaveLength(2), SOON);
      expect(history.of('effect.landed').map(({ effect }) => effect)).toEqual(landsAfterAbort ? [2, 1] : [2]);
      await test.close();
    }
  });

  it('is refused before its first piece', async () => {
    const { world } = openForTest([
      run('r1', [{ ...step('model/chat', 50), kind: 'stream', refusals: 1, delayMs: 1 }]),
    ]);
    const { url } = await world.openChannel('w');
    expect((await post(url, 'model/chat', { run: 'r1', key: 'a' }).answer).status).toBe(503);
    expect((await post(url, 'model/chat', { run: 'r1', key: 'a' }).answer).status).toBe(200);
  });
});

describe('exposure', () => {
  it('counts the open calls in scope of each worker, and the held ones with what is left of their hold', async () => {
    const { world } = openForTest([primed('p1', LONG_MS), run('r1', [step('read/crm', LONG_MS)])]);
    const one = await world.openChannel('worker-1');
    await world.openChannel('worker-2');
    const calls = [
      post(one.url, 'write/mail', { run: 'p1', key: 'a' }),
      post(one.url, 'read/crm', { run: 'r1', key: 'b' }),
    ];
    await vi.waitFor(() => expect(world.counts().inFlight).toBe(2), SOON);
    const [first, second] = world.exposure((_run, capability) => capability === 'write/mail');
    expect(first).toMatchObject({ worker: 'worker-1', open: 1, held: [{ effect: expect.any(Number), held: true }] });
    expect(first?.held[0]?.remainingMs).toBeGreaterThan(0);
    expect(first?.held[0]?.remainingMs).toBeLessThanOrEqual(LONG_MS);
    expect(second).toEqual({ worker: 'worker-2', open: 0, held: [] });
    expect(world.exposure(() => true)[0]).toMatchObject({ open: 2 });
    expect(world.exposure(() => false)[0]).toMatchObject({ open: 0, held: [] });
    for (const { request } of calls) request.destroy();
    await vi.waitFor(() => expect(world.exposure(() => true)[0]).toMatchObject({ open: 0 }), SOON);
  });
});
