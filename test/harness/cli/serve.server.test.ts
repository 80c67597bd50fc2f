import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyEntry } from '../../../src/control/api/api-keys.ts';
import { askFor, postOf } from '../../src/control/api/api-rig.ts';
import type { Answer } from '../../src/control/api/api-rig.ts';
import { prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { makePrng } from '../../../harness/traffic/prng.ts';
import { startServe } from './served-process.ts';
import type { ServedProcess } from './served-process.ts';

vi.setConfig({ testTimeout: 240_000 });
const NAMESPACE = 'payments';
const [STOP, RELEASE] = ['a-stop-key', 'a-release-key'];
const KILLS = Number(process.env['KILLDRILL_KILLS'] ?? 8);
let database: PreparedDatabase;
let folder: string;
let door: StoreDoor;
let served: ServedProcess[];

beforeEach(async () => {
  database = await prepareDatabase();
  await database.addNamespace(NAMESPACE);
  folder = mkdtempSync(join(tmpdir(), 'killdrill-serve-'));
  const keys = [keyEntry('on-call', 'stop', STOP), keyEntry('lead', 'release', RELEASE)];
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(keys));
  door = await openStoreDoor(database.flipperUrl);
  served = [];
});
afterEach(async () => {
  for (const one of served) if (one.child.exitCode === null) await one.end('SIGKILL');
  await door.close();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(...flags: readonly string[]): Promise<ServedProcess> {
  const [keys, spool] = [join(folder, 'keys.json'), join(folder, 'spool')];
  const where = ['--database', door.url, '--namespace', NAMESPACE, '--keys', keys, '--spool', spool];
  const one = await startServe([...where, ...flags]);
  served.push(one);
  return one;
}

const halt = (at: ServedProcess, body: Record<string, unknown>): Promise<Answer> =>
  askFor(`${at.url}/halt`, postOf({ reason: 'it writes too much', ...body }, STOP));
const get = (at: ServedProcess, path: string): Promise<Answer> => askFor(`${at.url}${path}`, {});
const spooled = (): readonly string[] => readdirSync(join(folder, 'spool'));

async function inTheRecord(): Promise<readonly string[]> {
  const owner = await database.connect(database.ownerUrl);
  const { rows } = await owner.query<{ id: string }>(
    'select id from killdrill.flip where namespace = $1 order by revision',
    [NAMESPACE],
  );
  return rows.map(({ id }) => id);
}

describe('killdrill serve', () => {
  it('stops, releases, and ends when it is asked to, with nothing left', async () => {
    const api = await serve();
    await vi.waitUntil(async () => (await get(api, '/readyz')).status === 200, { timeout: 30_000 });
    expect((await halt(api, { id: 'one', scope: 'tenant', target: 'acme' })).status).toBe(200);
    const released = await askFor(`${api.url}/release`, postOf({ engagements: ['one'], reason: 'mended' }, RELEASE));
    expect(released.status).toBe(200);
    expect(await api.end('SIGTERM')).toBe(0);
    expect(spooled()).toEqual([]);
    expect(await inTheRecord()).toHaveLength(2);
  });

  it('starts and takes stops while the store is away, says so, and brings them home', async () => {
    door.shut();
    const api = await serve();
    const { status, json } = await halt(api, { id: 'one' });
    expect([status, json]).toMatchObject([202, { id: 'one', durable: false, reached: [] }]);
    expect(readFileSync(String(json['keptAt']), 'utf8')).toContain('it writes too much');
    expect((await get(api, '/readyz')).status).toBe(503);
    expect((await get(api, '/switches')).json).toMatchObject({
      verified: false,
      engagements: [{ id: 'one', revision: null }],
    });
    const release = await askFor(`${api.url}/release`, postOf({ engagements: ['one'], reason: 'x' }, RELEASE));
    expect([release.status, release.type]).toEqual([503, 'application/problem+json']);
    expect((await halt(api, { id: 'one' })).status).toBe(202);
    door.open();
    await vi.waitUntil(async () => (await get(api, '/readyz')).status === 200, { timeout: 30_000 });
    await vi.waitUntil(() => spooled().length === 0, { timeout: 30_000 });
    expect(await inTheRecord()).toEqual(['one']);
    expect((await halt(api, { id: 'one' })).json).toMatchObject({ durable: true, revision: 1 });
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it('names what it leaves on disk when it is ended while the store is away', async () => {
    door.shut();
    const api = await serve();
    await halt(api, { id: 'one' });
    expect(await api.end('SIGTERM')).toBe(4);
    expect(api.said()).toMatch(/stop one is not durable; kept at .*spool.*, nobody is sending it/);
    const junk = join(folder, 'spool', `stop_${'0'.repeat(64)}.json`);
    writeFileSync(junk, '{"torn');
    const heir = await serve();
    expect(heir.said()).toContain('taken up from the spool: 1 stops');
    expect(heir.said()).toContain(`${junk}.aside`);
    expect((await get(heir, '/switches')).json).toMatchObject({ engagements: [{ id: 'one' }] });
    door.open();
    await vi.waitUntil(async () => (await inTheRecord()).includes('one'), { timeout: 30_000 });
    expect(await heir.end('SIGTERM')).toBe(0);
    expect(spooled()).toEqual([`stop_${'0'.repeat(64)}.json.aside`]);
  });

  it(`loses nothing that it has answered for when it is killed at ${KILLS} random moments`, async () => {
    const prng = makePrng(20_260_101);
    const answered = new Set<string>();
    const statuses = { 200: 0, 202: 0 };
    for (let life = 0; life < KILLS; life += 1) {
      const api = await serve();
      if (prng.uniform() < 0.5) door.shut();
      const killAfter = 1 + Math.floor(prng.uniform() * 30);
      let count = 0;
      const one = async (nth: number): Promise<void> => {
        const id = `life-${life}-${nth}`;
        const answer = await halt(api, { id, scope: 'run', target: id }).catch(() => null);
        if (answer === null) return;
        expect([200, 202]).toContain(answer.status);
        statuses[answer.status as 200 | 202] += 1;
        answered.add(id);
        count += 1;
        if (count === killAfter) api.child.kill('SIGKILL');
      };
      await Promise.all(Array.from({ length: 40 }, (_, nth) => one(nth)));
      await api.end('SIGKILL');
      door.open();
    }
    const heir = await serve();
    await vi.waitUntil(async () => (await get(heir, '/status')).json['stops'] !== undefined, { timeout: 30_000 });
    await vi.waitUntil(() => spooled().every((name) => name.endsWith('.aside')), { timeout: 60_000 });
    const record = await inTheRecord();
    expect(answered.size).toBeGreaterThan(KILLS * 5);
    expect(Math.min(statuses[200], statuses[202])).toBeGreaterThan(0); // killed with the store there, and away
    expect([...answered].filter((id) => !record.includes(id))).toEqual([]);
    expect(new Set(record).size).toBe(record.length);
    expect(await heir.end('SIGTERM')).toBe(0);
  });

  it('takes new keys while it runs, and keeps the old ones when the file is broken', async () => {
    const api = await serve();
    const path = join(folder, 'keys.json');
    writeFileSync(path, JSON.stringify([keyEntry('new', 'stop', 'another-key')]));
    await vi.waitUntil(async () => (await halt(api, { id: 'old', scope: 'run', target: 'r' })).status === 401, {
      ...{ timeout: 30_000, interval: 200 },
    });
    const asNew = () => askFor(`${api.url}/halt`, postOf({ id: 'by-new', reason: 'x' }, 'another-key'));
    expect((await asNew()).status).toBe(200);
    writeFileSync(path, '[{ "name": "torn');
    await vi.waitUntil(async () => (await asNew()).status === 200 && api.said().includes('it is not JSON'), {
      ...{ timeout: 30_000, interval: 200 },
    });
    expect(api.said()).not.toContain('another-key');
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it.each([
    [['--keys', 'nowhere.json'], 'nowhere.json'],
    [['--port', 'x'], '--port'],
    [['--tls-cert', 'cert.pem'], '--tls-cert and --tls-key'],
    [['--topic', 'alerts'], 'is for --executor'],
    [['--mirror-state-file', 'state.json'], '--mirror-state-file and --mirror-key'],
    [['--mirror-state-file', '/nowhere/at/all', '--mirror-key', 'k'], 'is its folder there'],
    [['--mirror-state-file', 'state.json', '--mirror-key', '/nowhere/key'], 'cannot be read'],
    [['--brokers', 'b:9092'], 'are for --executor, --detectors and --sink'],
    [['--sink', 'https://hooks.example.org/secret'], 'expected jsonl:FILE'],
    [['--sink', 'webhook:ftp://example.org'], 'expected an http or https URL'],
    [['--sink', 'kafka:flips'], 'wants --brokers'],
    [['--sink', 'kafka:fl ips', '--brokers', 'b:9092'], 'a topic is'],
    [['--sink', 'jsonl:/nowhere/at/all/flips.jsonl'], 'is its folder there'],
    [['--sink', 'jsonl:flips.jsonl', '--sink', 'jsonl:./flips.jsonl'], 'the same sink twice'],
    [['--executor', 'nowhere.json'], 'nowhere.json'],
    [['--executor', 'README.md'], 'README.md: it is not JSON'],
    [['--executor', '/dev/zero'], 'no ordinary file'],
    [['--key', '/dev/zero'], 'no ordinary file'],
    [['--host', '192.0.2.1'], 'killdrill: the API cannot listen at 192.0.2.1'],
    [['--tls-cert', 'README.md', '--tls-key', 'README.md'], 'killdrill: certificate and key cannot be used for TLS'],
  ])('says what is wrong with its flags: %j', async (flags, words) => {
    await expect(serve(...flags)).rejects.toThrow(words);
  });
});

/** The store's address as the API has it: a proxy that somebody may shut, as when the server is gone. */
interface StoreDoor {
  readonly url: string;
  open(): void;
  shut(): void;
  close(): Promise<void>;
}

async function openStoreDoor(flipperUrl: string): Promise<StoreDoor> {
  const behind = new URL(flipperUrl.replace('@/', '@unix/'));
  const socket = join(behind.searchParams.get('host') ?? '', '.s.PGSQL.5432');
  const links = new Set<Socket>();
  let isShut = false;
  const server: Server = createServer((client) => {
    if (isShut) return void client.destroy();
    const upstream = connect(socket);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      links.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => void (links.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const shut = (): void => {
    isShut = true;
    for (const link of links) link.destroy();
  };
  return {
    url: `postgres://${behind.username}:${behind.password}@127.0.0.1:${port}${behind.pathname}`,
    ...{ shut, open: () => void (isShut = false) },
    close: async () => {
      shut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('killdrill api-key', () => {
  it('prints a key once and keeps its hash, readable by its owner', async () => {
    const { runCommand } = await import('./run-command.ts');
    const path = join(folder, 'made.json');
    const made = await runCommand(['api-key', 'stop', 'night-shift', '--keys', path]);
    expect([made.code, made.stdout.trim()]).toEqual([0, expect.stringMatching(/^[\w-]{43}$/) as string]);
    const text = readFileSync(path, 'utf8');
    expect(text).not.toContain(made.stdout.trim());
    expect(JSON.parse(text)).toEqual([keyEntry('night-shift', 'stop', made.stdout.trim())]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = await runCommand(['api-key', 'stop', 'night-shift', '--keys', path]);
    expect([again.code, readFileSync(path, 'utf8')]).toEqual([3, text]);
    expect((await runCommand(['api-key', 'master', 'me', '--keys', path])).code).toBe(3);
  });
});
