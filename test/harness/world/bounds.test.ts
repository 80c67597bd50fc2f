import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { ArrivalBounds } from '../../../harness/world/arrival-bounds.ts';
import type { LoopWatch } from '../../../harness/world/loop-watch.ts';
import { openForTest, post, run, step } from './world-client.ts';
import type { TestWorld } from './world-client.ts';

const FLAG = { ready: 0, go: 1, sent: 2, wrote: 3 } as const;

/**
 * A sender with an event loop of its own: opens `kept` connections, waits for `go`, and then sends one effect on each of
 * them and on each of `fresh` new ones; `times` gets the clock's readings right before each write.
 */
const SENDER = `
  const { workerData } = require('node:worker_threads');
  const net = require('node:net');
  const { flags, times, port, path, kept, fresh } = workerData;
  const open = () => new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {});
    socket.resume();
  });
  const send = (socket, i) => new Promise((resolve) => {
    times[i] = process.hrtime.bigint();
    socket.write('POST ' + path + ' HTTP/1.1\\r\\nx-run: r1\\r\\nidempotency-key: ' + i + '\\r\\ncontent-length: 0\\r\\n\\r\\n', resolve);
  });
  (async () => {
    const sockets = [];
    for (let i = 0; i < kept; i += 1) sockets.push(await open());
    Atomics.store(flags, ${FLAG.ready}, 1);
    Atomics.wait(flags, ${FLAG.go}, 0);
    while (sockets.length < kept + fresh) sockets.push(await open());
    await Promise.all(sockets.map(send));
    Atomics.store(flags, ${FLAG.sent}, 1);
    Atomics.notify(flags, ${FLAG.sent});
  })();
`;

interface Shot {
  readonly t0: number;
  readonly t1: number;
  readonly sentNs: number;
}

/** Lets a sender send while this thread's loop is blocked for at least `blockMs`; gives each effect's interval. */
async function sendWhileBlocked(
  test: TestWorld,
  kept: number,
  fresh: number,
  blockMs: number,
): Promise<readonly Shot[]> {
  const { world, clock, history } = test;
  const { url, port } = await world.openChannel('w');
  const flags = new Int32Array(new SharedArrayBuffer(16));
  const times = new BigInt64Array(new SharedArrayBuffer(8 * (kept + fresh)));
  const path = `${new URL(url).pathname}/effects/write/mail`;
  const sender = new Worker(SENDER, { eval: true, workerData: { flags, times, port, path, kept, fresh } });
  try {
    await vi.waitFor(() => expect(Atomics.load(flags, FLAG.ready)).toBe(1), { timeout: 10_000, interval: 5 });
    Atomics.store(flags, FLAG.go, 1);
    Atomics.notify(flags, FLAG.go);
    expect(Atomics.wait(flags, FLAG.sent, 0, 10_000)).not.toBe('timed-out');
    Atomics.wait(flags, FLAG.wrote, 0, blockMs);
    await vi.waitFor(() => expect(history.of('effect.arrived')).toHaveLength(kept + fresh), {
      timeout: 10_000,
      interval: 5,
    });
  } finally {
    await sender.terminate();
  }
  return history.of('effect.arrived').map(({ t0, t1, key }) => {
    const sentNs = Number((times[Number(key)] ?? 0n) - clock.originNs);
    return { t0, t1, sentNs };
  });
}

const runs = [run('r1', [step('write/mail')])];

describe('the interval of an arrival', () => {
  it('holds the moment of sending although the loop was blocked meanwhile', async () => {
    const at = openForTest(runs);
    const shots = await sendWhileBlocked(at, 20, 20, 50);
    for (const { t0, t1, sentNs } of shots) {
      expect(t0).toBeLessThanOrEqual(sentNs);
      expect(t1).toBeGreaterThan(sentNs);
    }
    expect(
      at.history.of('loop.lag').some(({ t0, t1 }) => shots.every(({ sentNs }) => t0 < sentNs && sentNs < t1)),
    ).toBe(true);
  });

  it('holds it also when a long queue of connections outlasts many looks', async () => {
    const at = openForTest(runs, { lookEveryMs: 1 });
    const shots = await sendWhileBlocked(at, 0, 400, 5);
    for (const { t0, t1, sentNs } of shots) {
      expect(t0).toBeLessThanOrEqual(sentNs);
      expect(t1).toBeGreaterThan(sentNs);
    }
  });

  it('would not hold it if the clock were read when the request is handled', async () => {
    const careless = (clock: { nowNs(): number }): LoopWatch => ({
      get lookedNs() {
        return clock.nowNs();
      },
      lookingNs: null,
      close: () => {},
    });
    const at = openForTest(runs, { loop: careless });
    const shots = await sendWhileBlocked(at, 5, 0, 50);
    expect(shots.every(({ t0, sentNs }) => t0 > sentNs)).toBe(true);
  });

  it('is narrow when nothing is blocked', async () => {
    const at = openForTest(runs);
    const { url } = await at.world.openChannel('w');
    for (let i = 0; i < 200; i += 1) await post(url, 'write/mail', { run: 'r1', key: `k${i}`, agent: at.agent }).answer;
    const widths = at.history.of('effect.arrived').map(({ t0, t1 }) => t1 - t0);
    // The median, because the machine may stall at any moment.
    expect(widths.toSorted((a, b) => a - b)[100]).toBeLessThan(50e6);
  });
});

describe('the bounds of a port', () => {
  it('count from the last look in which nothing was accepted', () => {
    const loop = { lookedNs: 0, lookingNs: null as number | null, close: () => {} };
    const look = (atNs: number, during: () => void = () => {}): void => {
      loop.lookingNs = atNs;
      during();
      loop.lookedNs = atNs;
      loop.lookingNs = null;
    };
    const bounds = new ArrivalBounds(loop, 5);
    const first = bounds.accepted(6);
    expect(first.lowerNs()).toBe(5);
    look(10);
    expect(first.lowerNs()).toBe(10);
    look(20, () => {
      const during = bounds.accepted(21);
      expect(during.lowerNs()).toBe(10);
    });
    // The look of 20 found a queue, so it says nothing about who was in it.
    const queued = bounds.accepted(22);
    expect(queued.lowerNs()).toBe(10);
    let inLook: typeof queued | null = null;
    look(30, () => {
      inLook = bounds.accepted(31);
    });
    expect(queued.lowerNs()).toBe(30);
    expect((inLook as unknown as typeof queued).lowerNs()).toBe(10);
    look(40);
    expect(bounds.accepted(41).lowerNs()).toBe(40);
    expect((inLook as unknown as typeof queued).lowerNs()).toBe(40);
  });
});
