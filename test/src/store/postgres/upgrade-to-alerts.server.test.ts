import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../../../src/store/postgres/migrate.ts';
import { readMigrations } from '../../../../src/store/postgres/migration-files.ts';
import { SCHEMA_VERSION, assertSchemaVersion } from '../../../../src/store/postgres/schema-version.ts';
import type { FlipAnswer, FlipsAnswer, LoadAnswer } from '../../../../src/store/store.ts';
import { createTestDatabase } from '../../../support/database.ts';
import type { TestDatabase } from '../../../support/database.ts';
import { releaseText, stopText } from '../samples.ts';
import { call } from './statements.ts';

const BEFORE = 7;
const NAMESPACE = 'ns';
let database: TestDatabase;
let client: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  client = new pg.Client({
    connectionString: database.superuserUrl,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  return async () => {
    await client.end().catch(() => undefined);
    await database.drop();
  };
});

/** As `migrate` of the version before did it. */
async function prepareVersionBefore(): Promise<void> {
  await client.query('begin; create schema killdrill; set local search_path = killdrill, pg_temp');
  await client.query(
    'create table migration (number integer primary key, name text not null, applied_at timestamptz not null default clock_timestamp())',
  );
  for (const { number, name, sql } of readMigrations().filter((migration) => migration.number <= BEFORE)) {
    await client.query(sql);
    await client.query('revoke all on all functions in schema killdrill from public');
    await client.query('insert into migration (number, name) values ($1, $2)', [number, name]);
  }
  await client.query(`insert into head (namespace, epoch) values ('${NAMESPACE}', 'epoch-1')`);
  await client.query('select age_ms(); commit');
}

const flip = (text: string) => call<FlipAnswer>(client, 'flip', NAMESPACE, text, null, 150);

describe('a database of version 7 with data in place', () => {
  test('keeps every flip and engagement, and takes alerts from then on', async () => {
    await prepareVersionBefore();
    await expect(assertSchemaVersion(client)).rejects.toMatchObject({ code: 'SCHEMA_VERSION' });
    const detectors = { scope: 'tenant', target: 'acme', triggeredBy: 'write-rate', source: 'alert' } as const;
    await flip(stopText(NAMESPACE, { id: 'open' }));
    await flip(stopText(NAMESPACE, { id: 'over', ...detectors }));
    const { head } = await flip(releaseText(NAMESPACE, ['over']));
    const before = await call<LoadAnswer>(client, 'load', NAMESPACE);

    const { version, applied } = await migrate(client, { namespace: NAMESPACE });
    expect([version, applied[0]]).toEqual([SCHEMA_VERSION, '0008_alerts.sql']);
    await assertSchemaVersion(client);
    const after = await call<LoadAnswer>(client, 'load', NAMESPACE);
    expect([after.head, after.open]).toEqual([before.head, before.open]);
    expect(await call<FlipsAnswer>(client, 'flips_after', NAMESPACE, head.epoch, 0, '')).toMatchObject({
      flips: [{ revision: 1 }, { revision: 2 }, { revision: 3 }],
    });

    // What happened before the upgrade counts for alerts: a release of then makes one stale now.
    const ask = (id: string, observed: number) => {
      const text = stopText(NAMESPACE, { ...detectors, id: `flip ${id}` });
      const alert = ['write-rate', id, 'content', `flip ${id}`, text, null];
      return call(client, 'trip_alert', NAMESPACE, 'topic', 0, 0, 'message', ...alert, observed, null, 150);
    };
    expect(await ask('late', 2)).toMatchObject({ kind: 'stale', revision: 3 });
    expect(await ask('new', 3)).toMatchObject({ kind: 'flip', record: { revision: 4 }, isOpen: true });
    const stopped = stopText(NAMESPACE, { id: 'relayed' });
    expect(await call(client, 'relay', NAMESPACE, stopped, null, 150)).toMatchObject({ kind: 'open', revision: 5 });
    expect(await flip(releaseText(NAMESPACE, ['open', 'flip new', 'relayed']))).toMatchObject({
      record: { revision: 6 },
    });
  });
});
