import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makePrng } from '../../../harness/traffic/prng.ts';
import { keyEntry } from '../../../src/control/api/api-keys.ts';
import { KillSwitch } from '../../../src/killswitch.ts';
import { haltByFile } from '../../../src/propagation/halt-by-file.ts';
import type { StopFlip } from '../../../src/switch.ts';
import { askFor, postOf } from '../../src/control/api/api-rig.ts';
import type { Answer } from '../../src/control/api/api-rig.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import { releaseText, stopText } from '../../src/store/samples.ts';
import { prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { doorTo } from '../../support/door.ts';
import type { Door } from '../../support/door.ts';
import { startServe } from './served-process.ts';
import type { ServedProcess } from './served-process.ts';

vi.setConfig({ testTimeout: 240_000 });
const SOON = { timeout: 60_000, interval: 20 };
const KEY = 'a key that only tests have';
const KILLS = 10;
const SEED = 20_261_122;
let namespace: string;
let database: PreparedDatabase;
let store: StoreHandles;
let door: Door;
let folder: string;
let served: ServedProcess[];

beforeEach(async () => {
  namespace = `ns-${randomUUID()}`;
  database = await prepareDatabase();
  await database.addNamespace(namespace);
  store = database.open(namespace);
  door = await doorTo(database.flipperUrl, { isOpen: true });
  folder = mkdtempSync(join(tmpdir(), 'killdrill-serve-'));
  served = [];
  writeFileSync(join(folder, 'killdrill-keys.json'), JSON.stringify([keyEntry('on-call', 'stop', 'a-stop-key')]));
  writeFileSync(join(folder, 'seal.key'), `${KEY}\n`);
});
afterEach(async () => {
  for (const one of served) if (one.child.exitCode === null) await one.end('SIGKILL');
  await Promise.all([store.close(), door.close()]);
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (): string => join(folder, 'state.json');
async function mirror(spool = 'spool'): Promise<ServedProcess> {
  const to = ['--database', door.url, '--namespace', namespace, '--spool', spool];
  const one = await startServe([...to, '--mirror-state-file', 'state.json', '--mirror-key', 'seal.key'], {}, folder);
  served.push(one);
  return one;
}

/** An agent that knows the file alone, as it is started at this moment. */
const agent = (): KillSwitch => new KillSwitch({ path: path(), hmacKey: KEY, namespace });
const open = (one = agent()): readonly string[] =>
  one
    .getStatus()
    .engagements.map(({ id }) => id)
    .toSorted();
const isRunning = (one = agent()): boolean => !one.engaged;
const halt = (at: ServedProcess, id: string): Promise<Answer> =>
  askFor(`${at.url}/halt`, postOf({ id, reason: 'x' }, 'a-stop-key'));
const release = (...ids: readonly string[]) => store.control.flip(releaseText(namespace, ids), null);
const inStore = async (): Promise<readonly string[]> =>
  (await store.control.openEngagements()).map(({ flip }) => flip.id).toSorted();

describe('killdrill serve --mirror-state-file', () => {
  it('brings stops and releases of the store to whoever watches the file, and halts of the file to the store', async () => {
    const api = await mirror();
    await vi.waitFor(() => expect(isRunning()).toBe(true), SOON);
    const one = agent();
    expect((await halt(api, 'by the API')).status).toBe(200);
    await vi.waitFor(() => expect(open(one)).toEqual(['by the API']), SOON);
    await haltByFile(path(), JSON.parse(stopText(namespace, { id: 'by halt' })) as StopFlip);
    await vi.waitFor(async () => expect(await inStore()).toEqual(['by halt', 'by the API']), SOON);
    await release('by the API');
    await vi.waitFor(() => expect(open(one)).toEqual(['by halt']), SOON);
    expect(isRunning(one)).toBe(false);
    await release('by halt');
    await vi.waitFor(() => expect([isRunning(one), isRunning()]).toEqual([true, true]), SOON);
    expect((await askFor(`${api.url}/status`, {})).json).toMatchObject({ mirror: { error: null } });
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it('puts a stop beside the file while the store is away, and releases nothing until it has the store’s word', async () => {
    const api = await mirror();
    await vi.waitFor(() => expect(isRunning()).toBe(true), SOON);
    expect((await halt(api, 'before')).status).toBe(200);
    await vi.waitFor(() => expect(open()).toEqual(['before']), SOON);
    door.shut();
    expect((await halt(api, 'meanwhile')).status).toBe(202);
    await vi.waitFor(() => expect(open()).toEqual(['before', 'meanwhile']), SOON);
    await release('before');
    // What it has heard within a lease it may write; after that it knows nothing.
    const verified = async () => (await askFor(`${api.url}/switches`, {})).json['verified'];
    await vi.waitFor(async () => expect(await verified()).toBe(false), SOON);
    let text = '';
    await vi.waitUntil(() => text === (text = readFileSync(path(), 'utf8')), { timeout: 20_000, interval: 200 });
    expect((await halt(api, 'another')).status).toBe(202);
    await vi.waitFor(() => expect(open()).toEqual(['another', 'before', 'meanwhile']), SOON);
    expect(readFileSync(path(), 'utf8')).toBe(text);
    door.open();
    await vi.waitFor(() => expect(open()).toEqual(['another', 'meanwhile']), SOON);
    expect(await inStore()).toEqual(['another', 'meanwhile']);
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it(`is one of two, and killed at ${KILLS} random moments: no stop is ever missing, and in the end both are equal`, async () => {
    const prng = makePrng(SEED);
    const steady = await mirror('steady');
    await vi.waitFor(() => expect(isRunning()).toBe(true), SOON);
    const held = 'held throughout';
    expect((await halt(steady, held)).status).toBe(200);
    const watcher = agent();
    await vi.waitFor(() => expect(open(watcher)).toContain(held), SOON);
    for (let life = 0; life < KILLS; life += 1) {
      const other = await mirror('other');
      const [ours, theirs] = [`api-${life}`, `hand-${life}`];
      const killed = new Promise((resolve) => setTimeout(resolve, prng.uniform() * 300)).then(() =>
        other.end('SIGKILL'),
      );
      await store.control.flip(stopText(namespace, { id: ours, scope: 'run', target: ours }), null);
      await haltByFile(path(), JSON.parse(stopText(namespace, { id: theirs })) as StopFlip);
      if (life % 2 === 0) await release(ours);
      await killed;
      const { engagements, mode } = agent().getStatus();
      expect([mode, engagements.map(({ id }) => id)]).toEqual([
        'halt_all',
        expect.arrayContaining([held, theirs]) as readonly string[],
      ]);
    }
    await vi.waitFor(async () => expect(open()).toEqual(await inStore()), SOON);
    const left = await inStore();
    expect(left).toHaveLength(1 + KILLS + KILLS / 2);
    await release(...left);
    await vi.waitFor(() => expect([isRunning(), isRunning(watcher)]).toEqual([true, true]), SOON);
    expect(await steady.end('SIGTERM')).toBe(0);
  });
});
