import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../../../harness/conductor/faults.ts';
import type { FaultGround } from '../../../harness/conductor/fault.ts';
import { startProxy } from '../../../harness/environment/proxy.ts';
import { DrilledApi } from '../../../harness/fleet/drilled-api.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import type { EventBody, HistoryEvent } from '../../../harness/history/event.ts';
import type { FaultEntry } from '../../../harness/scenario/scenario.ts';

/** Answers as `killdrill serve` does, and says what it was told; loaded from its second request on. */
const SERVES = `
let asked = 0;
const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const server = require('node:http').createServer((request, response) => {
  asked += 1;
  response.writeHead(request.url === '/readyz' && asked < 2 ? 503 : 200).end(process.env.KILLDRILL_DATABASE_URL);
});
server.listen(port, '127.0.0.1', () => console.log(JSON.stringify({ url: 'http://127.0.0.1:' + port })));
process.on('SIGTERM', () => process.exit(0));
`;

let store: Server;
let events: EventBody[];
let pids: number[];
let made: DrilledApi[];

beforeEach(async () => {
  [events, pids, made] = [[], [], []];
  store = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(store, 'listening');
});
afterEach(async () => {
  for (const api of made) {
    await api.stop(5_000);
    await api.close();
  }
  store.close();
});

const history = {
  append(body: EventBody): HistoryEvent {
    events.push(body);
    return { v: 1, seq: events.length, clock: 'mono', t0: 0, t1: 0, ...body };
  },
};

function make(program: string): DrilledApi {
  const api = new DrilledApi({
    command: [process.execPath, '-e', program, '--'],
    environment: { PATH: process.env['PATH'] ?? '' },
    cwd: process.cwd(),
    history,
    postgres: { host: '127.0.0.1', port: (store.address() as AddressInfo).port },
    storeUrl: (port) => `store:${port}`,
    onSpawned: (pid) => pids.push(pid),
    startProxy,
  });
  made.push(api);
  return api;
}

const never = new AbortController().signal;
const told = async (api: DrilledApi): Promise<string> => (await fetch(api.url)).text();
const typesOf = (): readonly string[] => events.map(({ type }) => type);

describe('the API under drill', () => {
  it('is ready once it has loaded its store, and is reached through its control plane, as its store is by its own', async () => {
    const api = make(SERVES);
    await api.start(never);
    expect(typesOf()).toEqual(['api.spawned', 'api.ready']);
    expect(await told(api)).toBe(`store:${api.proxy('registry').port}`);
    expect(new URL(api.url).port).toBe(String(api.proxy('control').port));
    expect(pids).toEqual([api.process().pid]);
  });

  it('that is killed comes back on the same port, and the fault has its receipts', async () => {
    const api = make(SERVES);
    await api.start(never);
    const before = api.url;
    const ground = { api, signal: never } as Partial<FaultGround> as FaultGround;
    const faults = new Faults(ground, history, startDrillClock(), 1);
    const onNoPlane = { plane: null, direction: null, delayMs: null, bytesPerSecond: null, offsetMs: null } as const;
    const kill: FaultEntry = {
      ...{
        kind: 'fault',
        when: { kind: 'previous', offsetMs: 0 },
        fault: 'kill',
        target: 'api',
        ...onNoPlane,
        forMs: null,
      },
    };
    await faults.inject(kill);
    expect(() => api.process()).toThrow(/API is not running/);
    await expect(told(api)).rejects.toThrow();
    await faults.undoAll();
    expect(api.url).toBe(before);
    expect(await told(api)).toContain('store:');
    expect(typesOf().filter((type) => type.startsWith('fault'))).toEqual([
      ...['fault.selected', 'fault.observed', 'fault.injected', 'fault.recovered'],
    ]);
    expect(events).toContainEqual({ type: 'api.exited', code: null, signal: 'SIGKILL', expected: true });
  });

  it('can be cut off from its operator while it lives', async () => {
    const api = make(SERVES);
    await api.start(never);
    const cut = api.proxy('control').apply({ kind: 'cut' });
    await expect(told(api)).rejects.toThrow();
    expect(api.process().hasExited).toBe(false);
    cut.undo();
    expect(await told(api)).toContain('store:');
  });

  it('that ends instead is told of, with what it complained of', async () => {
    const api = make("console.error('no spool here'); process.exit(3)");
    await expect(api.start(never)).rejects.toMatchObject({
      code: 'FLEET_NOT_READY',
      message: expect.stringMatching(/ended with exit code 3[\s\S]*no spool here/) as string,
    });
  });
});
