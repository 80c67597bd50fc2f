import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../../../harness/conductor/faults.ts';
import { startProxy } from '../../../harness/environment/proxy.ts';
import type { Proxy } from '../../../harness/environment/proxy.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';
import type { PostgresServer } from '../../../harness/environment/environment.ts';
import type { Fleet } from '../../../harness/fleet/fleet.ts';
import type { EventBody } from '../../../harness/history/event.ts';
import type { FaultEntry } from '../../../harness/scenario/scenario.ts';

let server: Server;
let proxies: Readonly<Record<'registry' | 'work', Proxy>>;
let sockets: Socket[];
let events: EventBody[];
let faults: Faults;
let folder: string;
/** What the only worker does about its clock, and what it says of it. */
let worker: { readonly worker: string; readonly hasExited: boolean; readonly clockOffsetMs: number };

beforeEach(async () => {
  [sockets, events] = [[], []];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).pipe(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  proxies = { registry: await startProxy({ target }), work: await startProxy({ target }) };
  folder = mkdtempSync(join(tmpdir(), 'killdrill-faults-'));
  worker = { worker: 'worker-1', hasExited: false, clockOffsetMs: 0 };
  const fleet = {
    proxy: (_: string, plane: 'registry' | 'work') => proxies[plane],
    clockFile: (name: string) => join(folder, name),
    processes: () => [worker],
  } as unknown as Fleet;
  const postgres = null as unknown as PostgresServer; // no fault of these tests is on it
  const clock = { nowNs: () => 0 } as unknown as ConstructorParameters<typeof Faults>[2];
  const history = { append: (body: EventBody) => void events.push(body) } as unknown as ConstructorParameters<
    typeof Faults
  >[1];
  const ground = {
    fleet,
    executors: null,
    api: null,
    postgres,
    kafka: null,
    stateFile: null,
    signal: new AbortController().signal,
  };
  faults = new Faults(ground, history, clock, 42);
});

afterEach(async () => {
  await faults.undoAll();
  for (const proxy of Object.values(proxies)) await proxy.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

const eventually = async (condition: () => boolean) =>
  expect(await waitUntil(condition, { boundMs: 5_000, everyMs: 2 })).toBe(true);

function entryOf(fault: FaultEntry['fault'], more: Partial<FaultEntry> = {}): FaultEntry {
  const size = { delayMs: fault === 'latency' || fault === 'jitter' ? 5 : null };
  const bytesPerSecond = fault === 'bandwidth' ? 100_000 : null;
  const when = { kind: 'previous', offsetMs: 0 } as const;
  const direction = fault === 'cut' ? null : ('both' as const);
  const on = { target: 'worker-1', plane: 'registry', direction } as const;
  return { kind: 'fault', when, fault, ...on, ...size, bytesPerSecond, offsetMs: null, forMs: null, ...more };
}

/** Everything that comes back over this plane, and whether the connection is over. */
function dial(plane: 'registry' | 'work'): { readonly socket: Socket; text: () => string; over: () => boolean } {
  const socket = connect({ host: '127.0.0.1', port: proxies[plane].port });
  sockets.push(socket);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  return { socket, text: () => text, over: () => socket.closed };
}

const typesOf = () => events.map(({ type }) => type);

describe('a fault on a plane', () => {
  it.each(['cut', 'reset', 'half-open', 'latency', 'jitter', 'bandwidth'] as const)(
    'has all its receipts when it is a %s, says what it acted on, and spares the other plane',
    async (kind) => {
      await faults.inject(entryOf(kind));
      expect(typesOf()).toEqual(['fault.selected', 'fault.injected']);
      const [hit, spared] = [dial('registry'), dial('work')];
      for (const { socket } of [hit, spared]) socket.write('word');
      await eventually(() => typesOf().includes('fault.observed') && spared.text() === 'word');
      if (kind === 'cut' || kind === 'reset') await eventually(hit.over);
      await faults.undoAll();
      if (kind !== 'cut' && kind !== 'reset') await eventually(() => hit.text() === 'word');
      const recovered = events.at(-1);
      expect(recovered).toMatchObject({ type: 'fault.recovered', kind, target: 'worker-1', plane: 'registry' });
      const acted = recovered?.type === 'fault.recovered' ? recovered.acted : undefined;
      expect((acted?.connections ?? 0) + (acted?.refused ?? 0)).toBe(1);
      const after = dial('registry');
      after.socket.write('again');
      await eventually(() => after.text() === 'again');
    },
  );

  it('has no receipt of being observed when nothing went through its proxy', async () => {
    await faults.inject(entryOf('half-open'));
    await faults.undoAll();
    expect(typesOf()).toEqual(['fault.selected', 'fault.injected', 'fault.recovered']);
  });

  it('ends by itself when it has a time', async () => {
    await faults.inject(entryOf('half-open', { forMs: 20 }));
    const client = dial('registry');
    client.socket.write('word');
    await eventually(() => client.text() === 'word');
    expect(typesOf()).toContain('fault.recovered');
  });

  it('is given up, on record, when the same is on already, and leaves the first as it is', async () => {
    await faults.inject(entryOf('latency'));
    await faults.inject(entryOf('latency'));
    expect(events.at(-1)).toMatchObject({ type: 'conductor.gaveUp', what: 'latency of worker-1 (registry plane)' });
    const client = dial('registry');
    client.socket.write('word');
    await eventually(() => typesOf().includes('fault.observed'));
  });
});

describe('a fault of a clock', () => {
  const off = entryOf('clock', { plane: null, direction: null, offsetMs: -600_000 });

  it('is told by a file, is seen once the worker says so, and goes with the file', async () => {
    const file = join(folder, 'worker-1');
    const injected = faults.inject(off);
    await eventually(() => existsSync(file));
    expect(readFileSync(file, 'utf8')).toBe('-600000');
    expect(typesOf()).not.toContain('fault.observed');
    worker = { ...worker, clockOffsetMs: -600_000 };
    await injected;
    expect(typesOf()).toEqual(['fault.selected', 'fault.observed', 'fault.injected']);
    worker = { ...worker, clockOffsetMs: 0 };
    await faults.undoAll();
    expect(existsSync(file)).toBe(false);
    expect(typesOf().at(-1)).toBe('fault.recovered');
  });

  it('has no receipt of being observed when the worker says nothing of it', async () => {
    await faults.inject(off);
    expect(typesOf()).toEqual(['fault.selected', 'fault.injected']);
  });
});
