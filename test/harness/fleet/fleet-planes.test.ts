import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Proxy } from '../../../harness/environment/proxy.ts';
import { startProxy } from '../../../harness/environment/proxy.ts';
import { Fleet } from '../../../harness/fleet/fleet.ts';
import type { DetectingFleet } from '../../../harness/fleet/worker-planes.ts';
import type { EventBody, HistoryEvent } from '../../../harness/history/event.ts';

/** Says what it was told, as if it were a worker; ends when asked to. */
const TOLD = `
const told = Object.entries(process.env).filter(([name]) => name.startsWith('KILLDRILL_'));
console.log(JSON.stringify({ event: 'told', ...Object.fromEntries(told) }));
console.log('{"event":"ready"}');
process.on('SIGTERM', () => process.exit(0));
setInterval(() => undefined, 1000);
`;
const VARIABLES = { KILLDRILL_DETECTORS: '{}', KILLDRILL_DETECTOR_KEY: 'k' };

let server: Server;
let events: EventBody[];
let heard: string[];
let made: Fleet[];

beforeEach(async () => {
  [events, heard, made] = [[], [], []];
  server = createServer();
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});

afterEach(async () => {
  for (const fleet of made) {
    await fleet.stop(5_000);
    await fleet.close();
  }
  server.close();
});

async function started(detecting: DetectingFleet | null): Promise<Fleet> {
  const fleet = new Fleet({
    command: [process.execPath, '-e', TOLD],
    workers: ['worker-1', 'worker-2'],
    environment: { PATH: process.env['PATH'] ?? '' },
    cwd: process.cwd(),
    history: {
      append(body): HistoryEvent {
        events.push(body);
        return { v: 1, seq: events.length, clock: 'mono', t0: 0, t1: 0, ...body };
      },
    },
    postgres: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    storeUrl: (port) => `store:${port}`,
    openChannel: (worker) => Promise.resolve({ id: Number(worker.slice(-1)), url: `http://${worker}` }),
    onSpawned: () => undefined,
    detecting,
    clockFile: null,
    startProxy,
  });
  made.push(fleet);
  await fleet.start(new AbortController().signal);
  return fleet;
}

function told(worker: string): Readonly<Record<string, unknown>> {
  const said = events.find((event) => event.type === 'worker.said' && event.worker === worker);
  return said?.type === 'worker.said' ? said.said : {};
}

function detecting(kafkaProxy?: Proxy | null): DetectingFleet {
  const topics = { alerts: 'a', deadLetters: 'a.dead', group: 'g', drop: () => Promise.resolve() };
  const kafka =
    kafkaProxy === undefined
      ? null
      : { server: { door: (client: string) => ({ brokers: `${client}:9092`, proxy: kafkaProxy }) }, topics };
  return { variables: VARIABLES, kafka, said: ({ event }) => void heard.push(event) };
}

describe('workers with detectors', () => {
  it('each reach the bus on PostgreSQL through a proxy of their own, and are heard', async () => {
    const fleet = await started(detecting());
    for (const worker of ['worker-1', 'worker-2']) {
      const port = (plane: 'registry' | 'work' | 'alerts') => fleet.proxy(worker, plane).port;
      expect(told(worker)).toMatchObject({
        ...VARIABLES,
        KILLDRILL_REGISTRY_URL: `store:${port('registry')}`,
        KILLDRILL_DATABASE_URL: `store:${port('work')}`,
        KILLDRILL_ALERTS_URL: `store:${port('alerts')}`,
      });
      expect(new Set([port('registry'), port('work'), port('alerts')]).size).toBe(3);
    }
    expect(heard).toEqual(['told', 'told']);
  });

  it('reach a broker by a door of their own, which stays the broker’s', async () => {
    const proxy = await startProxy({ target: { host: '127.0.0.1', port: 1 } });
    const fleet = await started(detecting(proxy));
    expect(told('worker-2')).toMatchObject({
      KILLDRILL_KAFKA_BROKERS: 'worker-2:9092',
      KILLDRILL_ALERTS_TOPIC: 'a',
    });
    expect(told('worker-2')).not.toHaveProperty('KILLDRILL_ALERTS_URL');
    expect(fleet.proxy('worker-2', 'alerts')).toBe(proxy);
    await fleet.close();
    expect(() => proxy.apply({ kind: 'cut' })).not.toThrow();
    await proxy.close();
  });

  it('have a bus that no fault can be had on where the brokers are not ours', async () => {
    const fleet = await started(detecting(null));
    expect(() => fleet.proxy('worker-1', 'alerts')).toThrow(/Kafka's own brokers tell clients where to connect to/);
  });
});

describe('workers without detectors', () => {
  it('are told of none, and have no plane of alerts', async () => {
    const fleet = await started(null);
    expect(Object.keys(told('worker-1')).filter((name) => /DETECT|ALERT|KAFKA/.test(name))).toEqual([]);
    expect(() => fleet.proxy('worker-1', 'alerts')).toThrow(
      expect.objectContaining({ code: 'PLANE_OUT_OF_REACH', message: expect.stringContaining('add fleet.detectors') }),
    );
    expect(heard).toEqual([]);
  });
});
