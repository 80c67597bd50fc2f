import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { exitCodeOf } from '../../../harness/cli/exit.ts';
import { buildProgram } from '../../../harness/cli/program.ts';
import { columnsOf } from '../../../harness/report/wrap.ts';
import { AlertExecutor } from '../../../src/alerts/alert-executor.ts';
import { systemClock } from '../../../src/clock.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import { openAlertBus } from '../../../src/store/postgres/alert-bus.ts';
import { openAlertStore } from '../../../src/store/postgres/alert-store.ts';
import type { OpenEngagement } from '../../../src/store/store.ts';
import { followRegistry } from '../../src/alerts/following-registry.ts';
import { newDetector, policyFor } from '../../src/alerts/samples.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import { PATIENT, prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { doorTo } from '../../support/door.ts';
import type { Door } from '../../support/door.ts';
import { startCommand } from './command.ts';
import type { Ended, Started } from './command.ts';

// Each of them starts the command several times, on a machine that others use too.
vi.setConfig({ testTimeout: 120_000 });
let database: PreparedDatabase;
let folder: string;
let namespace: string;
let store: StoreHandles;
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  database = await prepareDatabase();
  return () => database.close();
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-halt-'));
  namespace = `ns-${randomUUID()}`;
  await database.addNamespace(namespace);
  store = database.open(namespace);
  return async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(doors.splice(0).map((door) => door.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { KILLDRILL_NAMESPACE: namespace, KILLDRILL_KEPT: join(folder, 'kept'), ...more };
}
const onStore = (url = database.flipperUrl): Record<string, string> => environment({ KILLDRILL_DATABASE_URL: url });

const start = (args: readonly string[], env = onStore()): Started => startCommand(args, env);
const killdrill = (args: readonly string[], env = onStore()): Promise<Ended> => start(args, env).ended;

async function listening(server: Server): Promise<string> {
  server.on('connection', (socket) => sockets.add(socket));
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const api = async (answer: RequestListener) => ({
  KILLDRILL_CONTROL_URL: `http://${await listening(createServer(answer))}`,
  KILLDRILL_STOP_KEY: 'the-stop-key',
});
const silence = async (): Promise<string> => `postgres://op:secret@${await listening(createTcpServer())}/x`;

const doors: Door[] = [];
async function newDoor(isOpen = true): Promise<Door> {
  const door = await doorTo(database.flipperUrl, { isOpen });
  doors.push(door);
  return door;
}

function open(): Promise<readonly OpenEngagement[]> {
  return store.control.openEngagements();
}
const kept = (): readonly string[] =>
  existsSync(join(folder, 'kept')) ? readdirSync(join(folder, 'kept')).filter((name) => name.endsWith('.json')) : [];
const keptTargets = (): readonly string[] =>
  kept().map((name) => {
    const { text } = JSON.parse(readFileSync(join(folder, 'kept', name), 'utf8')) as { readonly text: string };
    return parseFlip(text).target;
  });

function expectWidth80(text: string): void {
  for (const line of text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80);
}

describe('killdrill halt', () => {
  test('stops everything when it is told nothing else, and says by what and at which revision', async () => {
    const { code, stdout, stderr } = await killdrill(['halt']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [engagement] = await open();
    expect(engagement).toMatchObject({
      revision: 1,
      flip: { scope: 'global', target: '*', mode: 'halt_all', queue: 'discard', source: 'killdrill halt' },
    });
    expect(stdout).toBe(
      `durable at revision 1, by postgresql: the stop of global:* (halt_all, discard)\nengagement ${engagement?.flip.id}\n`,
    );
    expect(kept()).toEqual([]);
  });

  test('stops what it is told, as it is told', async () => {
    const words = [
      'halt',
      'tenant',
      'acme',
      '--mode',
      'halt_noncritical',
      '--drain',
      '30s',
      '--by',
      "o'p",
      '--reason',
      'x',
      '--json',
    ];
    const { code, stdout } = await killdrill(words);
    const [engagement] = await open();
    expect({ code, answer: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      answer: {
        ...{
          id: engagement?.flip.id,
          namespace,
          scope: 'tenant',
          target: 'acme',
          mode: 'halt_noncritical',
          queue: 'drain',
        },
        ...{ durable: true, revision: 1, takenBy: 'postgresql', keptAt: null },
        paths: [{ path: 'postgresql', state: 'durable', says: 'has taken it' }],
      },
    });
    expect(engagement?.flip).toMatchObject({ drainMs: 30_000, triggeredBy: "o'p", reason: 'x' });
  });

  test('goes on to PostgreSQL when the API hangs, and says so', async () => {
    const env = { ...onStore(), ...(await api(() => undefined)) };
    const { code, stdout, stderr } = await killdrill(['halt', 'tenant', 'acme'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'api: no answer after 1s; trying on\n' });
    expect(stdout).toMatch(/durable at revision 1, by postgresql: /);
    expect(await open()).toHaveLength(1);
  });

  test.each<[string, RequestListener, RegExp]>([
    [
      'refuses its key',
      (_request, response) => void response.writeHead(401).end('{"detail":"this key may not stop","code":"KEY"}'),
      /^api: \S+ answered 401: this key may not stop; it is not asked again\n$/,
    ],
    [
      'only holds it',
      (request, response) => {
        let body = '';
        request.on('data', (chunk) => (body += String(chunk)));
        request.on('end', () => {
          const { id } = parseFlip((JSON.parse(body) as { text: string }).text);
          response
            .writeHead(202)
            .end(JSON.stringify({ id, durable: false, why: 'no store', reached: [], keptAt: null }));
        });
      },
      /^api: not durable yet: not durable \(no store\)/,
    ],
  ])('goes on to PostgreSQL when the API %s', async (_what, answer, saying) => {
    const { code, stdout, stderr } = await killdrill(['halt'], { ...onStore(), ...(await api(answer)) });
    expect(code).toBe(0);
    expect(stdout).toMatch(/durable at revision 1, by postgresql: /);
    expect(stderr.replaceAll(/\n(?!$)/g, ' ')).toMatch(saying);
    expect(stdout + stderr).not.toContain('the-stop-key');
  });

  test('that only the API holds when the time is up is in its hands, and exits with 2', async () => {
    const holds: RequestListener = (request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        const { id } = parseFlip((JSON.parse(body) as { text: string }).text);
        response
          .writeHead(202)
          .end(
            JSON.stringify({ id, durable: false, why: 'no store', reached: ['the API', 'state file'], keptAt: '/s/1' }),
          );
      });
    };
    const env = { ...onStore('postgres://op@127.0.0.1:1/x'), ...(await api(holds)) };
    const { code, stdout } = await killdrill(['halt', '--give-up-after', '3s'], env);
    expect(code).toBe(2);
    expect(stdout.replaceAll('\n', ' ')).toMatch(
      /^NOT DURABLE yet, the time for it is up: the stop of global:\* \(halt_all, discard\) api has it: not durable \(no store\); reached: the API, state file; kept at \/s\/1; it is sent again/,
    );
    expect(kept()).toEqual([]);
  });

  test('goes on with an API that is without its store until it is durable there, and says so', async () => {
    let asked = 0;
    const comesBack: RequestListener = (request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        asked += 1;
        const { id } = parseFlip((JSON.parse(body) as { text: string }).text);
        const head = { epoch: 'e', revision: 9, hash: 'h' };
        const late = { id, durable: false, why: 'no store', reached: [], keptAt: '/s/1' };
        const answer = asked < 3 ? late : { id, durable: true, revision: 9, head };
        response.writeHead(asked < 3 ? 202 : 200).end(JSON.stringify(answer));
      });
    };
    const { code, stdout, stderr } = await killdrill(['halt'], environment(await api(comesBack)));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^durable at revision 9, by api: /);
    expect(stderr.replaceAll('\n', ' ')).toMatch(/^api: not durable yet: .* waiting for up to 10m until it is $/);
    expect(kept()).toEqual([]);
  });

  test('that nobody takes is kept, exits with 4 and says that nobody sends it; --resend does', async () => {
    const { code, stdout, stderr } = await killdrill(['halt', 'tenant', 'acme'], onStore(database.workerUrl));
    expect(code).toBe(4);
    expect(stderr.replaceAll('\n', ' ')).toMatch(/^postgresql: .*needs membership of .* it is not asked again $/);
    const [file = ''] = kept();
    const said = stdout.replaceAll('\n', ' ');
    expect(said).toMatch(/^NOT DURABLE, nobody takes it: the stop of tenant:acme .* postgresql: has not taken it: /);
    expect(said.replaceAll(' ', '')).toContain(`keptat${join(folder, 'kept', file)},nobodyissendingit;`);
    expect(await open()).toEqual([]);

    const other = await killdrill(['halt', 'tenant', 'other']);
    expect(other.stderr.replaceAll('\n', ' ')).toMatch(/^1 earlier stops are kept in /);
    const sent = await killdrill(['halt', '--resend']);
    expect(sent).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^durable at revision 2, by postgresql: the stop of tenant:acme/) as string,
    });
    expect((await open()).map(({ flip }) => flip.target)).toEqual(['other', 'acme']);
    expect(kept()).toEqual([]);
    expect(await killdrill(['halt', '--resend'])).toEqual({ code: 0, stdout: 'nothing is kept here\n', stderr: '' });
  });

  test('gives up in time on a database that hangs', async () => {
    const { code, stdout, stderr } = await killdrill(['halt', '--give-up-after', '2s'], onStore(await silence()));
    expect(code).toBe(4);
    expect(stdout.replaceAll('\n', ' ')).toMatch(/^NOT DURABLE, the time for it is up: .*nobody is sending it/);
    expect(stdout + stderr).not.toContain('secret');
    expect(kept()).toHaveLength(1);
  });

  test('stays until the database is back, and is then durable once', async () => {
    const door = await newDoor(false);
    const started = start(['halt', 'tenant', 'acme'], onStore(door.url));
    await expect.poll(() => started.printed.stderr, { timeout: 60_000 }).toMatch(/no answer from PostgreSQL/);
    expect(started.printed.stderr.replaceAll('\n', ' ')).toMatch(/it is asked again for up to 10m/);
    // A disk that is slow holds up neither the stop nor what is said of it.
    await expect.poll(kept, { timeout: 60_000 }).toHaveLength(1);
    expect(started.printed.stdout).toBe('');
    door.open();
    expect(await started.ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^durable at revision 1, by postgresql: the stop of tenant:acme/) as string,
    });
    expect(await open()).toHaveLength(1);
    expect(kept()).toEqual([]);
  });

  test('says on Ctrl-C what is and what is not so', async () => {
    const env = { ...onStore(await silence()), ...(await api(() => undefined)) };
    const started = start(['halt', 'tenant', 'acme'], env);
    await expect.poll(() => started.printed.stderr, { timeout: 60_000 }).toMatch(/postgresql: no answer after 1s/);
    started.child.kill('SIGINT');
    const { code, stdout } = await started.ended;
    expect(code).toBe(130);
    expect(stdout.replaceAll('\n', ' ')).toMatch(
      /^NOT DURABLE, it was interrupted: the stop of tenant:acme \(halt_all, discard\) api: was asked and has not answered; it may have taken it postgresql: was asked/,
    );
    expect(stdout.replaceAll('\n', ' ')).toMatch(/nobody is sending it; 'killdrill halt --resend' sends it/);
    expect(kept()).toHaveLength(1);
  });

  test('that is killed is durable or kept, and was never said to be taken before', async () => {
    let there = 0;
    for (let nth = 0; nth < 8; nth += 1) {
      const target = `run-${nth}`;
      const door = await newDoor();
      const started = start(['halt', 'run', target], onStore(door.url));
      // In the middle: from the first byte that goes to the store, and a little later each time.
      await expect.poll(() => door.passed, { timeout: 60_000, interval: 1 }).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, nth * 8));
      started.child.kill('SIGKILL');
      const { stdout } = await started.ended;
      const isOpen = (await open()).some(({ flip }) => flip.target === target);
      const isKept = keptTargets().includes(target);
      if (stdout !== '') expect(isOpen).toBe(true);
      if (isOpen || isKept) there += 1;
      expect(await killdrill(['halt', '--resend'])).toMatchObject({ code: 0 });
      // What it had written all but the last step of is sent too.
      const count = (await open()).filter(({ flip }) => flip.target === target).length;
      expect(isOpen || isKept ? [1] : [0, 1]).toContain(count);
    }
    expect(there).toBeGreaterThan(0);
    expect(kept()).toEqual([]);
  });

  test('of two operators at once opens two engagements, in order', async () => {
    const ended = await Promise.all([killdrill(['halt', '--by', 'one']), killdrill(['halt', '--by', 'other'])]);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const engagements = await open();
    expect(engagements.map(({ revision }) => revision)).toEqual([1, 2]);
    expect(engagements.map(({ flip }) => flip.triggeredBy).toSorted()).toEqual(['one', 'other']);
  });

  test('prints nothing wider than a terminal, nor what one would obey', async () => {
    const bad = `ac\u001b[31mme${'x'.repeat(200)}`;
    const { stdout } = await killdrill(['halt', 'tenant', bad]);
    const failed = await killdrill(['halt', 'tenant', bad], onStore(database.workerUrl));
    for (const text of [stdout, failed.stdout, failed.stderr]) {
      expectWidth80(text);
      expect(text).not.toContain('\u001b');
    }
    for (const line of (await killdrill(['halt', '--help'])).stdout.split('\n'))
      expect(columnsOf(line)).toBeLessThanOrEqual(80);
  });
});

describe('killdrill halt with words that are off', () => {
  const refused = async (args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> => {
    const program = buildProgram(() => expect.fail('it was not refused'));
    for (const command of [program, ...program.commands])
      command.exitOverride().configureOutput({ writeErr: () => undefined });
    const thrown: unknown = await program.parseAsync([...args], { from: 'user' }).catch((error: unknown) => error);
    return { code: exitCodeOf(thrown), said: String(thrown) };
  };

  test.each<[readonly string[], RegExp]>([
    [['halt', 'acme'], /'acme' is no scope; expected one of global, tenant/],
    [['halt', 'tenant'], /'tenant' is a scope; expected its target/],
    [['halt', 'tenant', ''], /'' is no target of scope 'tenant'/],
    [['halt', 'tenant', '*'], /'\*' is no target of scope 'tenant'/],
    [['halt', 'tenant', 'a', 'b'], /'b' is too much/],
    [['halt', 'global', 'acme'], /'acme' is no target of scope 'global'/],
    [['halt', 'capability', 'write/*x'], /no target of scope 'capability'/],
    [['halt', '--drain', 'long'], /--drain is 'long'/],
    [['halt', '--drain', '30s', '--queue', 'park'], /--drain is for --queue drain/],
    [['halt', '--queue', 'drain'], /wants how long/],
    [['halt', '--drain', '30s', '--mode', 'emergency'], /an emergency lets nothing pass/],
    [['halt', '--reason', 'x'.repeat(2001)], /reason/],
    [['halt', '--by', ''], /triggeredBy/],
    [['halt', '--give-up-after', '0s'], /--give-up-after is '0s'/],
    [['halt', 'tenant', 'acme', '--resend'], /--resend sends what is kept/],
  ])('stops nothing: %j', async (args, saying) => {
    const { code, said } = await refused([...args, '--database', database.flipperUrl, '--namespace', namespace]);
    expect(said).toMatch(saying);
    expect(code).toBe(3);
    expect(await open()).toEqual([]);
  });

  test('says which ways there are when none is named', async () => {
    const { code, stderr } = await killdrill(['halt'], environment());
    expect(code).toBe(3);
    expect(stderr).toMatch(/^killdrill: no way to the fleet is named; set KILLDRILL_CONTROL_URL/);
  });

  test('takes nothing from the other ways when one is named wrongly', async () => {
    mkdirSync(join(folder, 'key'));
    const env = {
      ...onStore(),
      KILLDRILL_CONTROL_URL: 'nowhere',
      KILLDRILL_STOP_KEY: 'k',
      KILLDRILL_DETECTOR: 'me',
      KILLDRILL_DETECTOR_KEY: join(folder, 'key'),
    };
    const { code, stderr } = await killdrill(['halt'], env);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^api: the control URL cannot be used/);
    const { code: bad, stderr: why } = await killdrill(
      ['halt'],
      environment({ KILLDRILL_DATABASE_URL: 'http://u:secret@[' }),
    );
    expect(bad).toBe(4);
    expect(why).toMatch(/the database URL cannot be read/);
    expect(why).not.toContain('secret');
  });
});

describe('killdrill halt over the alert bus', () => {
  const detector = newDetector('on-call', { widestScope: 'global', strictestMode: 'emergency' });

  const onBus = (url: string): Record<string, string> => {
    const file = join(folder, 'key.pem');
    writeFileSync(file, detector.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    return { ...onStore(url), KILLDRILL_DETECTOR: 'on-call', KILLDRILL_DETECTOR_KEY: file };
  };

  const startExecutor = async (): Promise<() => Promise<void>> => {
    const asFlipper = { connectionString: database.flipperUrl, namespace, timings: PATIENT };
    const following = await followRegistry({ ...asFlipper, connectionString: database.workerUrl });
    const [bus, alerts] = [openAlertBus(asFlipper), openAlertStore(asFlipper)];
    const executor = new AlertExecutor({
      ...{ bus, store: alerts, registry: following.registry, clock: systemClock },
      policy: policyFor([detector], { namespace }),
    });
    executor.start();
    return async () => {
      await executor.close();
      await Promise.all([bus.close(), alerts.close(), following.close()]);
    };
  };

  test('is the same flip that the other ways would have made', async () => {
    const close = await startExecutor();
    try {
      const { code, stdout } = await killdrill(
        ['halt', 'tenant', 'acme', '--reason', 'x', '--json'],
        onBus(database.workerUrl),
      );
      const [engagement, ...others] = await open();
      expect(others).toEqual([]);
      expect(engagement?.flip).toMatchObject({ source: 'alert', triggeredBy: 'on-call', target: 'acme', reason: 'x' });
      expect({ code, answer: JSON.parse(stdout) as unknown }).toMatchObject({
        code: 0,
        answer: { id: engagement?.flip.id, durable: true, revision: 1, takenBy: 'alert bus' },
      });
    } finally {
      await close();
    }
  });

  test('that another way has taken is no second stop when an executor reads the alert', async () => {
    expect(await killdrill(['halt', 'tenant', 'acme'], onBus(database.workerUrl))).toMatchObject({ code: 4 });
    expect(await killdrill(['halt', '--resend'])).toMatchObject({ code: 0 });
    const [ours] = await open();
    expect(ours?.flip.source).toBe('killdrill halt');
    const close = await startExecutor();
    try {
      const records = async (): Promise<readonly unknown[]> => {
        const owner = await database.connect(database.ownerUrl);
        const sql = 'select kind, flip_id from killdrill.alert_record where namespace = $1';
        return (await owner.query<Readonly<Record<string, unknown>>>(sql, [namespace])).rows;
      };
      await expect.poll(records, { timeout: 20_000 }).toEqual([{ kind: 'flip', flip_id: ours?.flip.id }]);
      expect(await open()).toEqual([ours]);
    } finally {
      await close();
    }
  });

  test('that no executor reads is not durable, and says so', async () => {
    const { code, stdout } = await killdrill(['halt', 'tenant', 'acme'], onBus(database.workerUrl));
    expect(code).toBe(4);
    expect(stdout.replaceAll('\n', ' ')).toMatch(
      /alert bus: the alert is on killdrill\.alerts of PostgreSQL, and no executor is known to have read it/,
    );
    expect(await open()).toEqual([]);
    expect(kept()).toHaveLength(1);
  });
});
