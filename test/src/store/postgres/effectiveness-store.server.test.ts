import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openEffectivenessStore } from '../../../../src/store/postgres/effectiveness-store.ts';
import { SOMEBODY, stopText } from '../samples.ts';
import type { StoreHandles } from '../contract/world.ts';
import { PATIENT, prepareDatabase } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

/** More than one look goes through. */
const LONG = 200_000;
const WAIT = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });
let database: PreparedDatabase;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;

beforeAll(async () => {
  database = await prepareDatabase();
  owner = await database.connect(database.ownerUrl);
  return () => database.close();
});

beforeEach(async () => {
  namespace = `ns-${randomUUID()}`;
  await database.addNamespace(namespace);
  store = database.open(namespace);
  return () => store.close();
});

/** Intents of an incarnation, one a millisecond; those up to `settled` have outcomes. */
async function journal(incarnation: string, count: number, settled: number, deadlineMs: number): Promise<void> {
  await owner.query(
    `insert into killdrill.intent (incarnation, seq, namespace, run, agent, lineage, capability, access, idempotency_key, deadline_ms, at)
     select $1, n, $2, 'run', 'agent', '{}', 'write/mail', 'write', n::text, $4, clock_timestamp() - ($3::int - n) * interval '1 ms'
     from generate_series(1, $3::int) as n`,
    [incarnation, namespace, count, deadlineMs],
  );
  await owner.query(
    `insert into killdrill.outcome (incarnation, seq, kind) select $1, n, 'landed' from generate_series(1, $2::int) as n`,
    [incarnation, settled],
  );
}

describe('the facts of a stop', () => {
  test('name workers of other namespaces that have just been there', async () => {
    const other = `ns-${randomUUID()}`;
    await database.addNamespace(other);
    const astray = database.open(other);
    try {
      const incarnation = `astray-${namespace}`;
      const identity = { incarnation, worker: 'w', pool: 'mail', version: null, leaseMs: 1_200, longestDeadlineMs: 1 };
      await astray.reports.register(identity);
      const found = async () =>
        (await store.effectiveness.fleet()).elsewhere.find((one) => one.incarnation === incarnation);
      expect(await found()).toEqual({ incarnation, worker: 'w', pool: 'mail', namespace: other });
      expect((await astray.effectiveness.fleet()).elsewhere.map((one) => one.incarnation)).not.toContain(incarnation);
      await astray.reports.deregister(incarnation);
      expect(await found()).toBeUndefined();
    } finally {
      await astray.close();
    }
  });

  test('say whose journals are still being looked through, go on where the last look ended, and find what is open', async () => {
    const [long, idle] = [`long-${namespace}`, `idle-${namespace}`];
    await journal(long, LONG, LONG - 2, 10);
    await journal(idle, 500, 500, 10);
    await store.control.flip(stopText(namespace, { id: 's' }), null);
    let looks = 0;
    const facts = await vi.waitFor(async () => {
      looks += 1;
      const found = await store.effectiveness.stopFacts('s');
      if (found?.unread.length !== 0) throw new Error('a journal is still being looked through');
      return found;
    }, WAIT);
    expect(looks).toBeGreaterThan(1);
    expect(facts.openIntents.map(({ seq }) => seq)).toEqual([LONG - 1, LONG]);
    const { rows } = await owner.query(
      'select incarnation, seq from killdrill.journal_looked where incarnation like $1 order by 1',
      [`%${namespace}`],
    );
    expect(rows).toEqual([
      { incarnation: idle, seq: '500' },
      { incarnation: long, seq: String(LONG) },
    ]);
    await store.outcomes.record(long, [{ seq: LONG, kind: 'landed', detail: null }]);
    expect((await store.effectiveness.stopFacts('s'))?.openIntents.map(({ seq }) => seq)).toEqual([LONG - 1]);
  });

  test('name a thousand open intents at most', async () => {
    await journal(`many-${namespace}`, 1_500, 0, 10);
    await store.control.flip(stopText(namespace, { id: 's' }), null);
    expect((await store.effectiveness.stopFacts('s'))?.openIntents).toHaveLength(1_000);
  });

  test('are not a worker’s to read, nor the inventory its to declare', async () => {
    const asWorker = openEffectivenessStore({ connectionString: database.workerUrl, namespace, timings: PATIENT });
    try {
      const inventory = { pools: { mail: 1 }, closed: true };
      for (const ask of [
        () => asWorker.fleet(),
        () => asWorker.stopFacts('s'),
        () => asWorker.declareInventory(inventory, SOMEBODY),
        () => asWorker.closeIntent({ incarnation: 'a', seq: 1 }, SOMEBODY),
      ]) {
        await expect(ask()).rejects.toMatchObject({ code: 'STORE_FORBIDDEN' });
      }
    } finally {
      await asWorker.close();
    }
  });
});

describe('what an operator says', () => {
  test('is on record, refused or not, and stays there', async () => {
    const { effectiveness } = store;
    await effectiveness.declareInventory({ pools: { mail: 1 }, closed: true }, SOMEBODY);
    await effectiveness.declareInventory({ pools: {}, closed: true }, SOMEBODY).catch(() => undefined);
    await effectiveness.closeIntent({ incarnation: 'nobody', seq: 1 }, SOMEBODY).catch(() => undefined);
    const { rows } = await owner.query(
      'select kind, refusal_code as code from killdrill.operator_action where namespace = $1 order by id',
      [namespace],
    );
    expect(rows).toEqual([
      { kind: 'inventory', code: null },
      { kind: 'inventory', code: 'INVENTORY_INVALID' },
      { kind: 'intent', code: 'INTENT_UNKNOWN' },
    ]);
    await expect(owner.query('delete from killdrill.inventory')).rejects.toMatchObject({ detail: 'APPEND_ONLY' });
  });
});
