import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KafkaDoor } from '../../../harness/environment/environment.ts';
import { startProxy } from '../../../harness/environment/proxy.ts';
import { Executors } from '../../../harness/fleet/executors.ts';
import type { ExecutorsKafka } from '../../../harness/fleet/executors.ts';
import type { EventBody, HistoryEvent } from '../../../harness/history/event.ts';

/** Says what it was told, as if it were an executor; ends when asked to. */
const TOLD = `
const told = Object.entries(process.env).filter(([name]) => name.startsWith('KILLDRILL_'));
console.log(JSON.stringify({ event: 'told', ...Object.fromEntries(told) }));
console.log('{"event":"ready"}');
process.on('SIGTERM', () => process.exit(0));
setInterval(() => undefined, 1000);
`;

let server: Server;
let events: EventBody[];
let pids: number[];
let made: Executors[];

beforeEach(async () => {
  [events, pids, made] = [[], [], []];
  server = createServer();
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});

afterEach(async () => {
  for (const executors of made) {
    await executors.stop(5_000);
    await executors.close();
  }
  server.close();
});

function make(program: string, kafka: ExecutorsKafka | null = null): Executors {
  const executors = new Executors({
    command: [process.execPath, '-e', program],
    executors: ['executor-1', 'executor-2'],
    environment: { PATH: process.env['PATH'] ?? '', KILLDRILL_NAMESPACE: 'ns' },
    cwd: process.cwd(),
    history: {
      append(body): HistoryEvent {
        events.push(body);
        return { v: 1, seq: events.length, clock: 'mono', t0: 0, t1: 0, ...body };
      },
    },
    postgres: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    registryUrl: (port) => `registry:${port}`,
    stopsUrl: (port) => `stops:${port}`,
    kafka,
    onSpawned: (pid) => pids.push(pid),
    startProxy,
  });
  made.push(executors);
  return executors;
}

const start = (executors: Executors) => executors.start(new AbortController().signal);

function told(executor: string): Readonly<Record<string, unknown>> {
  const said = events.find((event) => event.type === 'executor.said' && event.executor === executor);
  return said?.type === 'executor.said' ? said.said : {};
}

function kafkaWith(door: Pick<KafkaDoor, 'proxy'>): ExecutorsKafka {
  const topics = { alerts: 'a', deadLetters: 'a.dead', group: 'g', drop: () => Promise.resolve() };
  return { server: { door: (client) => ({ brokers: `${client}:9092`, ...door }) }, topics };
}

describe('executors under drill', () => {
  it('each reach the store, and the bus on it, through proxies of their own', async () => {
    const executors = make(TOLD);
    await start(executors);
    for (const executor of ['executor-1', 'executor-2']) {
      const port = (plane: 'registry' | 'control' | 'alerts') => executors.proxy(executor, plane).port;
      expect(told(executor)).toEqual({
        event: 'told',
        KILLDRILL_NAMESPACE: 'ns',
        KILLDRILL_EXECUTOR: executor,
        KILLDRILL_REGISTRY_URL: `registry:${port('registry')}`,
        KILLDRILL_STOPS_URL: `stops:${port('control')}`,
        KILLDRILL_ALERTS_URL: `stops:${port('alerts')}`,
      });
    }
    const urls = ['executor-1', 'executor-2'].flatMap((executor) => Object.values(told(executor)));
    expect(new Set(urls.filter((url) => /:\d+$/.test(String(url)))).size).toBe(6);
    expect(pids).toEqual(executors.processes().map(({ pid }) => pid));
  });

  it('reach a broker by a door of their own, which a fault on their bus acts at', async () => {
    const proxy = await startProxy({ target: { host: '127.0.0.1', port: 1 } });
    const executors = make(TOLD, kafkaWith({ proxy }));
    await start(executors);
    expect(told('executor-2')).toMatchObject({
      KILLDRILL_KAFKA_BROKERS: 'executor-2:9092',
      KILLDRILL_ALERTS_TOPIC: 'a',
      KILLDRILL_DEAD_LETTERS_TOPIC: 'a.dead',
      KILLDRILL_ALERTS_GROUP: 'g',
    });
    expect(told('executor-2')).not.toHaveProperty('KILLDRILL_ALERTS_URL');
    expect(executors.proxy('executor-2', 'alerts')).toBe(proxy);
    await executors.close();
    expect(() => proxy.apply({ kind: 'cut' })).not.toThrow(); // the door is the broker's, and stays open
    await proxy.close();
  });

  it('have a bus that no fault can be had on where the brokers are not ours', async () => {
    const executors = make(TOLD, kafkaWith({ proxy: null }));
    await start(executors);
    const refused = expect.objectContaining({ code: 'PLANE_OUT_OF_REACH' });
    expect(() => executors.proxy('executor-1', 'alerts')).toThrow(refused);
    expect(executors.proxy('executor-1', 'control').port).toBeGreaterThan(0);
  });

  it('have not started when one ends before it is ready, with what it complained of', async () => {
    const executors = make("console.error('no such namespace'); process.exit(1)");
    await expect(start(executors)).rejects.toThrow(
      /^the fleet's executors did not start; each executor has to say .*\nexecutor-[12] ended with exit code 1 .*\n {2}no such namespace/s,
    );
    await expect(start(make(TOLD))).resolves.toBeUndefined();
  });

  it('are known by their names', async () => {
    const executors = make(TOLD);
    await start(executors);
    const unknown = expect.objectContaining({ code: 'EXECUTOR_UNKNOWN' });
    expect(() => executors.process('executor-3')).toThrow(unknown);
    expect(() => executors.proxy('worker-1', 'registry')).toThrow(unknown);
    expect(executors.process('executor-2').name).toBe('executor-2');
  });
});
