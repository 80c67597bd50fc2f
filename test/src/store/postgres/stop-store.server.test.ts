import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KilldrillError } from '../../../../src/errors.ts';
import { openControlStore } from '../../../../src/store/postgres/control-store.ts';
import { openStopStore } from '../../../../src/store/postgres/stop-store.ts';
import type { StopStore } from '../../../../src/store/stop-port.ts';
import type { StoreHandles } from '../contract/world.ts';
import { releaseText, sampleIntent, stopText } from '../samples.ts';
import { PATIENT, prepareDatabase } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

const NAMESPACE = 'payments';
let database: PreparedDatabase;
let handles: StoreHandles;
let stops: StopStore & { close(): Promise<void> };

beforeEach(async () => {
  database = await prepareDatabase();
  await database.addNamespace(NAMESPACE);
  handles = database.open(NAMESPACE);
  stops = openStopStore({ connectionString: database.flipperUrl, namespace: NAMESPACE, timings: PATIENT });
});
afterEach(async () => {
  await Promise.all([stops.close(), handles.close()]);
  await database.close();
});

const offer = (id: string, more = {}) => ({ text: stopText(NAMESPACE, { id, ...more }), signature: `sig-${id}` });

describe('stops in one statement', () => {
  it('are durable in their order, each a link of the chain', async () => {
    const ids = Array.from({ length: 32 }, (_, nth) => `s${nth}`);
    const records = await stops.stops(ids.map((id) => offer(id)));
    expect(records.map(({ revision }) => revision)).toEqual(ids.map((_, nth) => nth + 1));
    const after = await handles.flips.flipsAfter({ epoch: records[0]!.epoch, revision: 0, hash: '' });
    expect(after.kind === 'flips' ? after.flips : []).toEqual(records);
  });

  it('are all taken or none, and one that is there already is answered as it was first', async () => {
    const [first] = await stops.stops([offer('one')]);
    const bad = stops.stops([offer('two'), offer('one', { reason: 'another' }), offer('three')]);
    await expect(bad).rejects.toMatchObject({ code: 'FLIP_ID_REUSED' });
    expect((await handles.flips.load()).head.revision).toBe(1);
    const again = await stops.stops([offer('two'), offer('one')]);
    expect(again.map(({ revision }) => revision)).toEqual([2, 1]);
    expect(again[1]).toEqual(first);
  });

  it('leave no intent between them: each is before the first or after the last', async () => {
    const [record] = await stops.stops([offer('one'), offer('two')]);
    const head = { epoch: record!.epoch, revision: record!.revision, hash: record!.hash };
    expect((await handles.fence.admitIntents('worker-1', head, [sampleIntent(1)])).kind).toBe('stale');
  });

  it('are stops only, and of this namespace', async () => {
    const release = stops.stops([{ text: releaseText(NAMESPACE, ['one']), signature: null }]);
    await expect(release).rejects.toMatchObject({ code: 'NOT_A_STOP' });
    const other = stops.stops([{ text: stopText('other'), signature: null }]);
    await expect(other).rejects.toBeInstanceOf(KilldrillError);
  });

  it('end those who hold the fence for too long, as a single flip does', async () => {
    const holder = await database.connect(database.workerUrl);
    await holder.query('begin');
    const owner = await database.connect(database.ownerUrl);
    const { rows } = await owner.query<{ key: string }>('select killdrill.fence_key($1)::text as key', [NAMESPACE]);
    await holder.query('select pg_advisory_xact_lock_shared($1)', [rows[0]!.key]);
    const quick = openStopStore({ connectionString: database.flipperUrl, namespace: NAMESPACE });
    const answered = async (): Promise<boolean> =>
      quick.stops([offer('one')]).then(
        () => true,
        () => false,
      );
    // Its own bounds are short: what one attempt does not do, a later one does.
    let isDurable = false;
    for (let attempt = 0; attempt < 20 && !isDurable; attempt += 1) isDurable = await answered();
    expect(isDurable).toBe(true);
    await quick.close();
  });
});

describe('the record for the API', () => {
  it('comes by pages, in order', async () => {
    await stops.stops(['a', 'b', 'c', 'd'].map((id) => offer(id)));
    const record = openControlStore({ connectionString: database.flipperUrl, namespace: NAMESPACE, timings: PATIENT });
    const page = await record.flipsPage(1, 2);
    expect(page.flips.map(({ revision }) => revision)).toEqual([2, 3]);
    expect(page.head.revision).toBe(4);
    expect((await record.flipsPage(4, 2)).flips).toEqual([]);
    await record.close();
  });
});
