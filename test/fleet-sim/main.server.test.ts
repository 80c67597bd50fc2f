import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stopText } from '../src/store/samples.ts';
import { prepareDatabase } from '../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../src/store/postgres/prepared-database.ts';
import { step, task } from './fleet-rig.ts';
import { TinyWorld, WAIT, WorkerProcess } from './worker-process.ts';

let database: PreparedDatabase;
let world: TinyWorld;
let folder: string;
let namespace: string;
let worker: WorkerProcess;

beforeAll(async () => {
  database = await prepareDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  namespace = `main-${randomUUID()}`;
  await database.addNamespace(namespace);
  folder = await mkdtemp(join(tmpdir(), 'killdrill-snapshots-'));
  world = new TinyWorld();
  const url = await world.listen();
  worker = new WorkerProcess(database, namespace, url, { KILLDRILL_SNAPSHOT_FOLDER: folder });
  await worker.saying('ready');
});
afterEach(async () => {
  worker.signal('SIGKILL');
  await worker.ended();
  world.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a worker process of the simulated fleet', () => {
  it('says what it did about an emergency, and where its snapshot is', async () => {
    const store = database.open(namespace);
    world.holding.add('r/0');
    await store.fence.enqueue((await store.flips.load()).head, [task('r', [step()])]);
    await expect.poll(() => world.arrived, WAIT).toEqual(['r/0']);
    await store.control.flip(stopText(namespace, { mode: 'emergency' }), null);
    const said = await worker.saying('emergency');
    expect(said).toMatchObject({ revision: 1, hooks: [], snapshot: expect.stringContaining(folder) });
    expect(await readdir(folder)).toHaveLength(1);
    expect(await readFile(String(said['snapshot']), 'utf8')).toContain('"r"');
    expect(await worker.saying('stopped')).toMatchObject({ revision: 1 });
    await store.close();
  });

  it('fails a run whose plan it cannot read, says why, sends nothing of it, and keeps the plan', async () => {
    const store = database.open(namespace);
    const later = { version: 9, steps: [step()] };
    const { head } = await store.flips.load();
    await store.fence.enqueue(head, [task('later', later), task('prose', 'do something'), task('good', [step()])]);
    const owner = await database.connect(database.ownerUrl);
    const rows = async () => {
      const sql = 'select id, state, plan from killdrill.task where namespace = $1 order by id';
      return (await owner.query<Readonly<Record<string, unknown>>>(sql, [namespace])).rows;
    };
    await expect.poll(rows, WAIT).toEqual([
      { id: 'good', state: 'done', plan: [step()] },
      { id: 'later', state: 'failed', plan: later },
      { id: 'prose', state: 'failed', plan: 'do something' },
    ]);
    expect(world.arrived).toEqual(['good/0']);
    expect(worker.log).toMatch(/the plan of run later cannot be read .*nothing of it was done/);
    await store.close();
  });

  it('ends in good order when it is asked to, although a call is out, and leaves no intent open', async () => {
    const store = database.open(namespace);
    world.holding.add('r/0');
    await store.fence.enqueue((await store.flips.load()).head, [task('r', [step()])]);
    await expect.poll(() => world.arrived, WAIT).toEqual(['r/0']);
    worker.signal('SIGTERM');
    expect(await worker.ended()).toBe(0);
    const owner = await database.connect(database.ownerUrl);
    const left = await owner.query(
      `select t.state, o.kind from killdrill.task t, killdrill.intent i left join killdrill.outcome o using (incarnation, seq)
       where t.namespace = $1 and i.namespace = $1`,
      [namespace],
    );
    expect(left.rows).toEqual([{ state: 'unknown', kind: 'unknown' }]);
    await store.close();
  });
});
