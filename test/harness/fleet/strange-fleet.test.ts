import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startProxy } from '../../../harness/environment/proxy.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';
import { Fleet } from '../../../harness/fleet/fleet.ts';
import type { EventBody, HistoryEvent } from '../../../harness/history/event.ts';
import { isAlive } from '../../support/is-alive.ts';

const READY = "console.log(JSON.stringify({ event: 'ready', told: Object.keys(process.env) }));";
const STAY = 'setInterval(() => {}, 1000);';
/** A pipe takes as much as it has room for, and says EAGAIN when it has none. */
const WRITE = `
  const write = (fd, bytes) => {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += require('node:fs').writeSync(fd, bytes, at);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
    }
  };`;
let fleets: Fleet[] = [];
let events: EventBody[] = [];
afterEach(async () => {
  for (const fleet of fleets) await fleet.stop(0).then(() => fleet.close());
  [fleets, events] = [[], []];
});

/** A fleet of one worker with a switch of its own, so that it needs no store. */
function fleetOf(command: readonly string[]): Fleet {
  const fleet = new Fleet({
    ...{ command, workers: ['worker-1'], cwd: process.cwd(), postgres: null, storeUrl: () => '', detecting: null },
    environment: {
      PATH: process.env['PATH'] ?? '',
      KILLDRILL_DRILL_FOLDER: join(tmpdir(), `strange-${randomBytes(8).toString('hex')}`),
      KILLDRILL_NAMESPACE: 'strange',
    },
    history: {
      append: (body): HistoryEvent => {
        events.push(body);
        return { v: 1, seq: events.length, clock: 'mono', t0: 0, t1: 0, ...body };
      },
    },
    openChannel: () => Promise.resolve({ id: 1, url: 'http://127.0.0.1:1/t' }),
    ...{ onSpawned: () => undefined, clockFile: null, startProxy },
  });
  fleets.push(fleet);
  return fleet;
}

const program = (text: string): readonly string[] => [process.execPath, '-e', text];
const start = (fleet: Fleet): Promise<void> => fleet.start(new AbortController().signal);
const until = (condition: () => boolean) => waitUntil(condition, { boundMs: 30_000, everyMs: 5 });

function of<T extends EventBody['type']>(type: T): readonly Extract<EventBody, { readonly type: T }>[] {
  return events.filter((event): event is Extract<EventBody, { readonly type: T }> => event.type === type);
}

describe('a fleet that does not start', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['crashes', program("console.error('no licence'); process.exit(7)"), /exit code 7 .*\n +no licence/],
    ['exits 0 at once', program(''), /exit code 0 before it was ready/],
    ['is not there', ['./no-such-fleet'], /could not be started.*\n.*ENOENT/],
    ['is not executable', [join(process.cwd(), 'package.json')], /could not be started.*\n.*EACCES/],
    ['prints junk', program('console.log(\'junk\\n{"event":\\n[]\'); process.exit(1)'), /stdout: junk\n.*\{"event":/],
  ])('is named with the last that it said: it %s', async (_, command, expected) => {
    await expect(start(fleetOf(command))).rejects.toThrow(expected);
  });
});

describe('a fleet that is ready and then misbehaves', () => {
  it('has its last words on record when it crashes', async () => {
    await start(fleetOf(program(`${READY} console.error('out of luck'); setTimeout(() => process.exit(9), 50)`)));
    expect(await until(() => of('worker.lastWords').length > 0)).toBe(true);
    expect(of('worker.exited')).toMatchObject([{ code: 9, expected: false }]);
    expect(of('worker.lastWords')[0]?.text).toContain('out of luck');
  });

  it('is killed, and named, when it ignores SIGTERM', async () => {
    const fleet = fleetOf(program(`process.on('SIGTERM', () => {}); ${READY} ${STAY}`));
    await start(fleet);
    expect(await fleet.stop(100)).toEqual(['worker-1']);
    expect(of('worker.forced')).toEqual([{ type: 'worker.forced', worker: 'worker-1', afterMs: 100 }]);
    expect(fleet.processes().every(({ pid }) => !isAlive(pid))).toBe(true);
  });

  it.runIf(process.platform === 'linux')(
    'has the daemon that it left behind killed and named: another session, of another parent',
    async () => {
      // setsid and a second fork: neither the group nor the parent leads from the worker to it
      const inner = `process.title = 'left-behind'; ${STAY}`;
      const middle = `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(inner)}], { detached: true, stdio: 'ignore' }); console.log(JSON.stringify({ event: 'child', pid: child.pid })); child.unref();`;
      const fleet = fleetOf(
        program(
          `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(middle)}], { detached: true, stdio: ['ignore', 'inherit', 'ignore'] }).on('exit', () => { ${READY} }); process.on('SIGTERM', () => process.exit(0)); ${STAY}`,
        ),
      );
      await start(fleet);
      const pid = Number(of('worker.said').find(({ said }) => said['event'] === 'child')?.said['pid']);
      expect(isAlive(pid)).toBe(true);
      expect(await fleet.stop(20_000)).toEqual([]);
      expect(of('worker.leftBehind')).toMatchObject([{ worker: 'worker-1', pid }]);
      expect(await until(() => !isAlive(pid))).toBe(true);
    },
  );

  it('floods stdout without a line, and then stderr, and fills no memory of ours', async () => {
    const flood = `${WRITE} const junk = Buffer.alloc(1 << 20, 120); ${READY}
      for (let n = 0; n < 1024; n += 1) write(1, junk);
      for (let n = 0; n < 64; n += 1) write(2, junk);
      process.exit(0);`;
    const before = process.memoryUsage().rss;
    const fleet = fleetOf(program(flood));
    await start(fleet);
    let most = 0;
    expect(
      await waitUntil(
        () => {
          most = Math.max(most, process.memoryUsage().rss - before);
          return fleet.processes().every(({ isHeardOut }) => isHeardOut);
        },
        { boundMs: 50_000, everyMs: 20 },
      ),
    ).toBe(true);
    expect(most / 2 ** 20).toBeLessThan(300);
    expect(fleet.processes()[0]?.complaint.length).toBeLessThanOrEqual(4_000);
  });

  it('floods with events, of which so many are kept and no more', async () => {
    const line = `{"event":"again","pad":"${'x'.repeat(1_000)}"}\\n`;
    const flood = `${WRITE} ${READY} const lines = Buffer.from('${line}'.repeat(1000));
      for (let n = 0; n < 40; n += 1) write(1, lines);
      process.exit(0);`;
    const fleet = fleetOf(program(flood));
    await start(fleet);
    expect(await until(() => fleet.processes().every(({ isHeardOut }) => isHeardOut))).toBe(true);
    const kept = of('worker.said').length;
    expect(kept).toBeGreaterThan(10_000);
    expect(kept).toBeLessThan(20_000);
    expect(fleet.processes()[0]?.complaint).toMatch(/more than 16 MiB of events; the rest of them is not kept/);
  });
});

describe('a fleet without a store', () => {
  it('is told of none, and has no plane that a fault could act on', async () => {
    const fleet = fleetOf(
      program(`console.log(JSON.stringify({ event: 'told', names: Object.keys(process.env) })); ${READY} ${STAY}`),
    );
    await start(fleet);
    const names = of('worker.said')[0]?.said['names'];
    expect(names).toEqual(expect.arrayContaining(['KILLDRILL_WORKER', 'KILLDRILL_WORLD_URL']));
    expect(names).not.toEqual(expect.arrayContaining(['KILLDRILL_DATABASE_URL']));
    expect(() => fleet.proxy('worker-1', 'registry')).toThrow(/has no store of ours/);
  });
});
