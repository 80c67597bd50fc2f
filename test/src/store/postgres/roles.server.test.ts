import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { openFlipStore } from '../../../../src/store/postgres/flip-store.ts';
import { openFlipSource } from '../../../../src/store/postgres/flip-source.ts';
import { assertSchemaVersion } from '../../../../src/store/postgres/schema-version.ts';
import { releaseText, stopText } from '../samples.ts';
import { PATIENT, prepareDatabase } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

const NAMESPACE = 'prepared';
const FORBIDDEN = '42501';
let database: PreparedDatabase;
let owner: pg.Client;
let worker: pg.Client;
let flipper: pg.Client;

beforeAll(async () => {
  database = await prepareDatabase();
  owner = await database.connect(database.ownerUrl);
  worker = await database.connect(database.workerUrl);
  flipper = await database.connect(database.flipperUrl);
  return () => database.close();
});

/** The functions of the store that a role may execute. */
async function executable(role: string): Promise<readonly string[]> {
  const { rows } = await owner.query<{ proname: string }>(
    `select proname from pg_proc where pronamespace = 'killdrill'::regnamespace and has_function_privilege($1, oid, 'execute') order by 1`,
    [role],
  );
  return rows.map(({ proname }) => proname);
}

describe('the roles', () => {
  test('may execute what DESIGN §10 gives them, and nothing else', async () => {
    expect(await executable('killdrill_worker')).toEqual([
      'admit_intents',
      'begin_load',
      'claim',
      'counts',
      'deregister_worker',
      'enqueue',
      'extend',
      'finish',
      'flips_after',
      'give_back',
      'halted',
      'load',
      'publish_alert',
      'record_outcomes',
      'register_worker',
      'relay',
      'report_worker',
      'retry',
      'schema_version',
      'sweep',
    ]);
    expect(await executable('killdrill_flipper')).toEqual([
      'admit_compensation',
      'alert_position',
      'alert_range',
      'alerts_from',
      'audit_heads',
      'audit_open',
      'audit_page',
      'begin_load',
      'bury_alerts',
      'close_compensation',
      'close_intent',
      'commit_alerts',
      'declare_contract',
      'declare_inventory',
      'end_canary_turn',
      'fence_key',
      'fleet_facts',
      'flip',
      'flips_after',
      'flips_page',
      'forget_alerts',
      'journal_page',
      'ledger',
      'load',
      'open_engagements',
      'place_alerts',
      'preview_stop',
      'publish_alert',
      'record_refusal',
      'red_reasons',
      'refuse_alerts',
      'relay',
      'release_again',
      'resume',
      'schema_version',
      'set_critical',
      'shared_holders',
      'sign_head',
      'stop_facts',
      'take_canary_turn',
      'terminate_holders',
      'trip_alert',
      'trip_alerts',
    ]);
  });

  test('touch no table', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'killdrill'`,
    );
    expect(rows.map(({ name }) => name).toSorted()).toEqual([
      'alert_dead_letter',
      'alert_gap',
      'alert_message',
      'alert_position',
      'alert_record',
      'alert_topic',
      'canary_turn',
      'compensation',
      'critical_class',
      'critical_rules',
      'engagement',
      'flip',
      'flip_signature',
      'head',
      'head_signature',
      'intent',
      'intent_closed',
      'intent_open',
      'inventory',
      'journal_looked',
      'migration',
      'operator_action',
      'outcome',
      'run_contract',
      'server_life',
      'sweep',
      'task',
      'worker',
    ]);
    for (const client of [worker, flipper]) {
      for (const { name } of rows) {
        for (const statement of [
          `select from killdrill.${name}`,
          `delete from killdrill.${name}`,
          `insert into killdrill.${name} default values`,
          `truncate killdrill.${name}`,
        ]) {
          await expect(client.query(statement)).rejects.toMatchObject({ code: FORBIDDEN });
        }
      }
      await expect(client.query('create table killdrill.mine ()')).rejects.toMatchObject({ code: FORBIDDEN });
    }
  });

  test('of a worker takes no stop and no release', async () => {
    const control = openFlipStore({ connectionString: database.workerUrl, namespace: NAMESPACE, timings: PATIENT });
    try {
      await expect(control.flip(stopText(NAMESPACE), null)).rejects.toMatchObject({ code: 'STORE_FORBIDDEN' });
      await expect(control.flip(releaseText(NAMESPACE, ['x']), null)).rejects.toMatchObject({
        code: 'STORE_FORBIDDEN',
      });
      await expect(control.openEngagements()).rejects.toMatchObject({ code: 'STORE_FORBIDDEN' });
    } finally {
      await control.close();
    }
    await expect(worker.query(`select killdrill.put_flip('prepared', '{}', null, 1)`)).rejects.toMatchObject({
      code: FORBIDDEN,
    });
  });

  test('see through no temporary table of their own', async () => {
    await worker.query(
      'create temporary table head (namespace text, epoch text, revision bigint, hash text, created_at timestamptz)',
    );
    await worker.query(`insert into pg_temp.head values ('prepared', 'forged', 99, 'forged', now())`);
    const { rows } = await worker.query<{ answer: { head: { epoch: string } } }>(
      `select killdrill.load('prepared') as answer`,
    );
    expect(rows[0]?.answer.head.epoch).not.toBe('forged');
    await worker.query('drop table pg_temp.head');
  });

  test('may all ask for the version', async () => {
    for (const client of [worker, flipper, owner]) await assertSchemaVersion(client);
  });
});

describe('a relayed text that workers could not read', () => {
  const good = JSON.parse(stopText(NAMESPACE)) as Record<string, unknown>; // our own sample
  const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
  const texts = [
    ...['not json', '[]', 'null', '1', '"x"', '{}', '{"kind":"stop"}'],
    ...[
      ...Object.keys(good).map(without),
      ...Object.keys(good).map((name) => ({ ...good, [name]: 7 })),
      ...Object.keys(good).map((name) => ({ ...good, [name]: null })),
      ...Object.keys(good).map((name) => ({ ...good, [name]: 'x'.repeat(name === 'reason' ? 2001 : 301) })),
      ...['scope', 'mode', 'queue', 'kind'].map((name) => ({ ...good, [name]: 'other' })),
      { ...good, id: '' },
      { ...good, id: '🛑'.repeat(151) },
      { ...good, reason: 'nul \u0000' },
      { ...good, target: 'acme' },
      { ...good, extra: 'field' },
      { ...good, queue: 'drain' },
      { ...good, drainMs: 1 },
      { ...good, queue: 'drain', mode: 'emergency', drainMs: 1 },
      ...[0, -1, 1.5, 86_400_001, '1', null, [1]].map((drainMs) => ({ ...good, queue: 'drain', drainMs })),
    ].map((body) => JSON.stringify(body)),
  ];

  test.each(texts)('is refused by the store itself: %s', async (text) => {
    const refused = worker.query('select killdrill.relay($1, $2, null)', [NAMESPACE, text]);
    await expect(refused).rejects.toMatchObject({
      detail: expect.stringMatching(/^(FLIP_UNREADABLE|FLIP_NAMESPACE|RELAY_REFUSED)$/),
    });
  });

  test('leaves the chain as it was', async () => {
    const source = openFlipSource({ connectionString: database.workerUrl, namespace: NAMESPACE, timings: PATIENT });
    try {
      expect((await source.load()).head.revision).toBe(0);
      const longest = { ...good, id: 'i'.repeat(300), reason: 'r'.repeat(2000) };
      expect(await source.relay(JSON.stringify(longest), null)).toMatchObject({ kind: 'open', revision: 1 });
    } finally {
      await source.close();
    }
  });
});
