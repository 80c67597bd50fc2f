import { spawn as spawnProcess } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Clock } from '../../../src/clock.ts';
import type { PlanStep } from '../../../harness/traffic/trace.ts';
import {
  LONG_MS,
  SOON,
  child,
  get,
  openForTest,
  post,
  primed,
  rawConnection,
  run,
  spawn,
  step,
} from './world-client.ts';

function handedCall(capability: string, deadlineMs: number) {
  return { kind: 'call', capability, access: 'write', journal: true, deadlineMs };
}

describe('work', () => {
  it('is handed out when it is due, to whoever asks first', async () => {
    const { world, clock, history } = openForTest([
      run('r1', [step('read/crm')], 20),
      run('r2', [step('read/crm')], 40),
    ]);
    const { url } = await world.openChannel('worker-1');
    const polls = [get(`${url}/work`), get(`${url}/work`)];
    const t0Ns = clock.nowNs();
    world.startArrivals(t0Ns);
    const answers = await Promise.all(polls.map(({ answer }) => answer));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const { dueMs: _due, ...who } = run('r1', []);
    const { serviceMs: _service, ...planned } = step('read/crm');
    const handed = { ...who, plan: [{ kind: 'call', ...planned }] };
    expect(answers.find(({ body }) => (body as { run: string }).run === 'r1')?.body).toEqual(handed);
    expect(history.of('run.due').map((event) => [event.run, event.t0 - t0Ns])).toEqual([
      ['r1', 20e6],
      ['r2', 40e6],
    ]);
    for (const { run: of, t0 } of history.of('run.handed')) {
      expect(t0).toBeGreaterThanOrEqual(history.of('run.due').find((due) => due.run === of)?.t0 ?? Infinity);
    }
    expect(world.counts()).toMatchObject({ due: 2, waiting: 0, channels: [{ handed: 2 }] });
  });

  it('comes of a runaway when it is let loose, and not by itself', async () => {
    const runaway = { ...run('runaway-1-001', [step('write/crm')]), runaway: true as const };
    const { world, clock, history } = openForTest([runaway, run('r1', [step('read/crm')], 1)]);
    const { url } = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    expect((await get(`${url}/work`).answer).body).toMatchObject({ run: 'r1' });
    const next = get(`${url}/work`);
    expect(world.counts()).toMatchObject({ due: 1, waiting: 0 });
    const fromNs = clock.nowNs();
    world.letLoose([runaway]);
    expect((await next.answer).body).toMatchObject({ run: 'runaway-1-001' });
    const due = history.of('run.due').find(({ run: of }) => of === 'runaway-1-001');
    expect(due?.t0).toBeGreaterThanOrEqual(fromNs);
    expect(world.counts()).toMatchObject({ due: 2, waiting: 0 });
  });

  it('is told how it goes out, and nothing of what the world will do to it', async () => {
    const plan: readonly PlanStep[] = [
      { ...step('model/chat', 700), kind: 'stream' },
      { ...step('tool/search', 5), idempotent: true, refusals: 2, delayMs: 90 },
      { ...step('write/mail', 5), kind: 'timer', delayMs: 4000 },
      spawn('r1.3', { attached: true }),
    ];
    const parent = { ...run('r1', plan), startAfterMs: 1500 };
    const { world, clock } = openForTest([parent, child(parent, 3, [step('read/crm')])]);
    const { url } = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    const { body } = await get(`${url}/work`).answer;
    expect(body).toEqual({
      ...{ run: 'r1', tenant: 'acme', feature: 'inbox', agent: 'agent-1', startAfterMs: 1500 },
      plan: [
        { kind: 'stream', capability: 'model/chat', access: 'write', journal: true, deadlineMs: 1700 },
        { ...handedCall('tool/search', 1005), idempotent: true, delayMs: 90 },
        { ...handedCall('write/mail', 1005), kind: 'timer', delayMs: 4000 },
        { ...handedCall('agent/spawn', 1000), kind: 'spawn', attached: true },
      ],
    });
  });

  it('is no child and no probe', async () => {
    const parent = run('r1', [spawn('r1.0')]);
    const runs = [
      parent,
      child(parent, 0, [step('read/crm')]),
      { ...run('p', [step('read/crm')]), probe: true as const },
    ];
    const { world, clock, history } = openForTest(runs);
    const { url } = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    expect((await get(`${url}/work`).answer).body).toMatchObject({ run: 'r1' });
    world.endArrivals();
    expect((await get(`${url}/work`).answer).status).toBe(204);
    expect(world.counts()).toMatchObject({ due: 1, waiting: 0 });
    expect(history.of('run.due').map((event) => event.run)).toEqual(['r1']);
  });

  it('becomes due whether or not anybody asks', async () => {
    const { world, clock, history } = openForTest([0, 5, 10].map((due) => run(`r${due}`, [step('read/crm')], due)));
    await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    await vi.waitFor(() => expect(world.counts()).toMatchObject({ due: 3, waiting: 3 }), SOON);
    expect(history.of('run.due').map((event) => event.run)).toEqual(['r0', 'r5', 'r10']);
  });

  it('is not there: the poll ends with 204 after a while', async () => {
    const { world, clock } = openForTest([], {
      timers: { after: (delayMs, callback) => systemClock.after(delayMs / 100, callback) },
    });
    const { url } = await world.openChannel('worker-1');
    expect(await get(`${url}/work`).answer).toEqual({ status: 204, body: null });
    world.startArrivals(clock.nowNs());
    expect(await get(`${url}/work`).answer).toEqual({ status: 204, body: null });
  });

  it('is not there any more: the poll ends with 204 when arrivals end', async () => {
    // Polls never end by themselves here, unless they come after the end.
    const never = (): void => {};
    const after: Clock['after'] = (delayMs, callback) =>
      delayMs >= 2000 ? never : systemClock.after(delayMs, callback);
    const { world, clock } = openForTest([], { timers: { after } });
    const { url } = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    const waiting = get(`${url}/work`);
    // One request later the poll before it has come in, too.
    await get(`${url}/nothing`).answer;
    world.endArrivals();
    expect(await waiting.answer).toEqual({ status: 204, body: null });
    expect((await get(`${url}/work`).answer).status).toBe(204);
  });

  it('becomes due no more once arrivals have ended', async () => {
    const { world, clock, history } = openForTest([run('r1', [step('read/crm')]), run('r2', [step('read/crm')], 60)]);
    const { url } = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    expect((await get(`${url}/work`).answer).status).toBe(200);
    world.endArrivals();
    expect((await get(`${url}/work`).answer).status).toBe(204);
    expect(history.of('run.due')).toHaveLength(1);
  });

  it('is not lost to a poll that has gone', async () => {
    const { world, clock, history } = openForTest([run('r1', [step('read/crm')], 30)]);
    const dead = await world.openChannel('worker-1');
    const alive = await world.openChannel('worker-2');
    const gone = get(`${dead.url}/work`);
    await vi.waitFor(() => expect(gone.request.socket?.bytesWritten ?? 0).toBeGreaterThan(0), SOON);
    world.startArrivals(clock.nowNs());
    gone.request.destroy();
    expect((await get(`${alive.url}/work`).answer).status).toBe(200);
    expect(history.of('run.handed').map(({ worker }) => worker)).toEqual(['worker-2']);
  });

  it('is not lost when the poll goes in the very turn in which the run is due', async () => {
    for (let round = 0; round < 20; round += 1) {
      const test = openForTest([run('r1', [step('read/crm')])]);
      const { world, clock, history } = test;
      const dead = await world.openChannel('worker-1');
      const alive = await world.openChannel('worker-2');
      const socket = await rawConnection(dead.port);
      socket.write(`GET ${new URL(dead.url).pathname}/work HTTP/1.1\r\nhost: x\r\n\r\n`);
      await get(`${dead.url}/nothing`).answer;
      socket.destroy();
      // The run is given to the dead poll: this process cannot know yet that its peer has gone.
      world.startArrivals(clock.nowNs());
      expect((await get(`${alive.url}/work`).answer).status, `round ${round}`).toBe(200);
      expect(history.of('run.handed').at(-1)?.worker).toBe('worker-2');
      await test.close();
    }
  });

  it('is handed to the next when the process that it was sent to dies without reading it', async () => {
    const { world, clock, history } = openForTest([run('r1', [step('read/crm')], 10)]);
    const dead = await world.openChannel('worker-1');
    const alive = await world.openChannel('worker-2');
    const program = `
      const socket = require('node:net').connect(+process.argv[1], '127.0.0.1');
      socket.write('GET ' + process.argv[2] + '/work HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n', () => console.log('asked'));
      socket.pause();
      setInterval(() => {}, 1000);
    `;
    const child = spawnProcess(process.execPath, ['-e', program, String(dead.port), new URL(dead.url).pathname]);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      child.kill('SIGSTOP');
      world.startArrivals(clock.nowNs());
      await vi.waitFor(() => expect(history.of('run.handed')).toHaveLength(1), SOON);
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
    expect((await get(`${alive.url}/work`).answer).status).toBe(200);
    expect(history.of('run.handed').map(({ worker }) => worker)).toEqual(['worker-1', 'worker-2']);
  });
});

describe('a run that begins with a held call', () => {
  it('goes to a worker that holds none, also when another asked before', async () => {
    const { world, clock, history } = openForTest([primed('p1', LONG_MS), primed('p2', LONG_MS, 1)]);
    const one = await world.openChannel('worker-1');
    const two = await world.openChannel('worker-2');
    world.startArrivals(clock.nowNs());
    expect((await get(`${one.url}/work`).answer).body).toMatchObject({ run: 'p1' });
    const held = post(one.url, 'write/mail', { run: 'p1', key: 'a' });
    await vi.waitFor(() => expect(world.counts()).toMatchObject({ inFlight: 1, due: 2 }), SOON);
    const again = get(`${one.url}/work`);
    await vi.waitFor(() => expect(again.request.socket?.bytesWritten ?? 0).toBeGreaterThan(0), SOON);
    expect((await get(`${two.url}/work`).answer).body).toMatchObject({ run: 'p2' });
    expect(history.of('run.handed').map(({ run: of, worker }) => [of, worker])).toEqual([
      ['p1', 'worker-1'],
      ['p2', 'worker-2'],
    ]);
    held.request.destroy();
    again.request.destroy();
  });

  it('does not hold up other runs, and goes to anybody when no worker is free in time', async () => {
    const { world, clock } = openForTest([
      primed('p1', LONG_MS),
      primed('p2', LONG_MS, 1),
      run('r1', [step('read/crm')], 2),
    ]);
    const one = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    expect((await get(`${one.url}/work`).answer).body).toMatchObject({ run: 'p1' });
    await vi.waitFor(() => expect(world.counts().due).toBe(3), SOON);
    expect((await get(`${one.url}/work`).answer).body).toMatchObject({ run: 'r1' });
    expect((await get(`${one.url}/work`).answer).body).toMatchObject({ run: 'p2' });
  });

  it('is one that lasts: other primed runs go to whoever asks first', async () => {
    const { world, clock } = openForTest([primed('p1', LONG_MS), primed('p2', 20, 1)]);
    const one = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    expect((await get(`${one.url}/work`).answer).body).toMatchObject({ run: 'p1' });
    const held = post(one.url, 'write/mail', { run: 'p1', key: 'a' });
    await vi.waitFor(() => expect(world.counts()).toMatchObject({ inFlight: 1, due: 2 }), SOON);
    expect((await get(`${one.url}/work`).answer).body).toMatchObject({ run: 'p2' });
    held.request.destroy();
  });

  it('goes on to a worker as soon as its held call has ended', async () => {
    const { world, clock } = openForTest([primed('p1', LONG_MS), primed('p2', LONG_MS, 1)]);
    const one = await world.openChannel('worker-1');
    world.startArrivals(clock.nowNs());
    await get(`${one.url}/work`).answer;
    const held = post(one.url, 'write/mail', { run: 'p1', key: 'a' });
    await vi.waitFor(() => expect(world.counts()).toMatchObject({ inFlight: 1, due: 2 }), SOON);
    const next = get(`${one.url}/work`);
    held.request.destroy();
    expect((await next.answer).body).toMatchObject({ run: 'p2' });
  });
});
