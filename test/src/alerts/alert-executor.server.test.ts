import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Alert } from '../../../src/alerts/alert.ts';
import { prepareDatabase } from '../store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../store/postgres/prepared-database.ts';
import { ExecutorOnServers, iso } from './executor-on-servers.ts';
import { newDetector, raw, signed } from './samples.ts';
import type { Sent } from './samples.ts';

const WAIT = { timeout: 20_000, interval: 10 };
const HOUR_MS = 3_600_000;
let database: PreparedDatabase;
let owner: pg.Client;
let rig: ExecutorOnServers;

beforeAll(async () => {
  database = await prepareDatabase();
  owner = await database.connect(database.ownerUrl);
  return () => database.close();
});
beforeEach(async () => {
  rig = new ExecutorOnServers(database, owner);
  await rig.open();
  return () => rig.close();
});

/** Until the store has recorded everything before `position`. */
async function until(position: number): Promise<void> {
  await vi.waitFor(async () => expect((await rig.positions()).stored).toBe(position), WAIT);
}

describe('an executor over PostgreSQL', () => {
  test('turns an alert into a stop that another process enforces, that is durable, and whose position is told to the bus', async () => {
    const another = await rig.follow();
    await rig.publish(rig.alert({ target: 'acme', id: 'a1' }));
    await vi.waitFor(() => expect([another.targets(), rig.targets()]).toEqual([['acme'], ['acme']]), WAIT);
    await until(1);
    expect([await rig.durable(), await rig.records()]).toEqual([['acme'], [{ position: 0, kind: 'flip', code: null }]]);
    await vi.waitFor(async () => expect(await rig.positions()).toEqual({ stored: 1, committed: 1 }), WAIT);
    expect(rig.executor.status()).toEqual({ isReading: true, backlog: 0, unanswered: 0 });
    expect(another.registry.revisionOf(another.registry.openEngagements()[0]?.id ?? '')).toBe(1);
    expect(rig.errors).toEqual([]);
  });

  test('enforces in its own process before the store has answered, where its detector has seen every flip', async () => {
    const blocker = await database.connect(database.ownerUrl);
    await blocker.query('begin');
    await blocker.query('select pg_advisory_xact_lock(killdrill.fence_key($1))', [rig.namespace]);
    await rig.publish(rig.alert({ target: 'acme', observedRevision: 0 }));
    await vi.waitFor(() => expect(rig.targets()).toEqual(['acme']), WAIT);
    expect(await rig.records()).toEqual([]);
    await blocker.query('rollback');
    await until(1);
    expect([await rig.durable(), rig.events.map(({ kind }) => kind)]).toEqual([['acme'], ['read', 'held', 'answered']]);
  });

  test('reads on after all its connections were ended, and loses nothing', async () => {
    await rig.publish(rig.alert({ target: 'before' }));
    await until(1);
    await owner.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database()
       and application_name in ('killdrill alerts', 'killdrill alert bus', 'killdrill alert reading', 'killdrill flips')`,
    );
    await rig.publish(rig.alert({ target: 'after' }));
    await until(2);
    expect(await rig.durable()).toEqual(['before', 'after']);
    await vi.waitFor(() => expect(rig.targets()).toEqual(['before', 'after']), WAIT);
  });

  test('by two works as one: each alert is one flip', async () => {
    const second = new ExecutorOnServers(database, owner, { beside: rig });
    await rig.publish(rig.alert());
    await second.open();
    await vi.waitFor(() => expect(second.executor.status().isReading).toBe(true), WAIT);
    await Promise.all(Array.from({ length: 30 }, (_, number) => rig.publish(rig.alert({ target: `t${number}` }))));
    await until(31);
    expect((await rig.durable()).toSorted()).toEqual(
      ['acme', ...Array.from({ length: 30 }, (_, n) => `t${n}`)].toSorted(),
    );
    const readBySecond = (): readonly number[] =>
      second.events.flatMap(({ kind, message }) => (kind === 'read' && message.position > 0 ? [message.position] : []));
    await vi.waitFor(() => expect(readBySecond()).toEqual(Array.from({ length: 30 }, (_, n) => n + 1)), WAIT);
    expect((await rig.records()).map(({ kind }) => kind)).toEqual(Array.from({ length: 31 }, () => 'flip'));
    await second.close();
  });
});

describe('a storm', () => {
  test('leaves stale what is stale, although stops wait so long for their turn that they are enforced early', async () => {
    await rig.publish(rig.alert({ target: 'acme' }));
    await until(1);
    await rig.releaseAll();
    const stale = (number: number): boolean => number % 10 === 9;
    const alerts = Array.from({ length: 600 }, (_, number) =>
      stale(number) ? rig.alert({ target: 'acme', observedRevision: 1 }) : rig.alert({ target: `t${number}` }),
    );
    const heldStale = () => rig.events.filter(({ kind, message }) => kind === 'held' && stale(message.position - 1));
    await owner.query('select pg_advisory_lock(killdrill.fence_key($1))', [rig.namespace]);
    try {
      await Promise.all(alerts.map((alert) => rig.publish(alert)));
      await vi.waitFor(() => expect(heldStale().length).toBeGreaterThan(5), WAIT);
    } finally {
      await owner.query('select pg_advisory_unlock(killdrill.fence_key($1))', [rig.namespace]);
    }
    await until(601);
    const kinds = (await rig.records()).slice(1).map(({ kind }) => kind);
    expect(kinds).toEqual(alerts.map((_, number) => (stale(number) ? 'stale' : 'flip')));
    expect([(await rig.durable()).includes('acme'), rig.targets().includes('acme')]).toEqual([false, false]);
  });
});

interface Bad {
  readonly name: string;
  readonly make: () => Sent;
  readonly becomes: { readonly kind: string; readonly code: string | null };
}

const stranger = newDetector('stranger');
const impostor = newDetector('write-rate');
const poison = (code: string) => ({ kind: 'poison', code });

/** Everything that an alert can be besides good. `first` is an alert that became a stop, and was released since. */
function badInput(first: Sent, firstId: string): readonly Bad[] {
  const ago = (ms: number): Partial<Alert> => ({
    raisedAt: iso(Date.now() - ms),
    expiresAt: iso(Date.now() - ms + HOUR_MS),
  });
  const by = (who: typeof stranger, alert: Partial<Alert> = {}) =>
    signed(who, rig.timely({ target: 'beta', ...alert }));
  const unsigned = (sent: Sent): Sent => ({ ...sent, signature: null });
  return [
    { name: 'no JSON', make: () => raw('{"version":1,'), becomes: poison('unreadable') },
    { name: 'no UTF-8', make: () => ({ ...raw(''), bytes: Buffer.from([0xff, 0]) }), becomes: poison('unreadable') },
    { name: 'empty', make: () => raw(''), becomes: poison('unreadable') },
    { name: 'of another shape', make: () => raw({ version: 1, id: 'x' }), becomes: poison('unreadable') },
    { name: 'oversized', make: () => raw(`{"x":"${'x'.repeat(20_000)}"}`), becomes: poison('oversized') },
    { name: 'forged', make: () => by(impostor), becomes: poison('forged') },
    {
      name: 'signed short form',
      make: () => ({ ...raw({ agent_id: 'a', reason: '' }), signature: 'c2ln' }),
      becomes: poison('forged'),
    },
    {
      name: 'by nobody known',
      make: () => by(stranger, { detector: 'stranger' }),
      becomes: poison('unknown-detector'),
    },
    { name: 'unsigned beyond an agent', make: () => unsigned(by(rig.detector)), becomes: poison('overreaching') },
    {
      name: 'wider than its key',
      make: () => by(rig.detector, { scope: 'global', target: '*' }),
      becomes: poison('overreaching'),
    },
    {
      name: 'of another namespace',
      make: () => by(rig.detector, { namespace: 'other' }),
      becomes: poison('other-namespace'),
    },
    { name: 'future-dated', make: () => by(rig.detector, ago(-HOUR_MS)), becomes: poison('future-dated') },
    {
      name: 'of a used id',
      make: () => by(rig.detector, { id: firstId, reason: `other ${Math.round(performance.now() * 1000)}` }),
      becomes: poison('reused-id'),
    },
    { name: 'expired', make: () => by(rig.detector, ago(2 * HOUR_MS)), becomes: { kind: 'expired', code: 'expired' } },
    { name: 'replayed', make: () => first, becomes: { kind: 'duplicate', code: null } },
    {
      name: 'stale',
      make: () => by(rig.detector, { target: 'acme', observedRevision: 1 }),
      becomes: { kind: 'stale', code: null },
    },
  ];
}

describe('bad input', () => {
  test('ends in the dead letters or the record with its reason, a hundred times and more; nothing of it stops anything, and the executor lives', async () => {
    const first = rig.alert({ target: 'acme', id: 'first' });
    await rig.publish(first);
    await until(1);
    await rig.releaseAll();
    await vi.waitFor(() => expect(rig.targets()).toEqual([]), WAIT);
    const bad = badInput(first, 'first');
    const sent = Array.from({ length: 7 }, () => bad).flat();
    expect(sent.length).toBeGreaterThan(100);
    for (const { make } of sent) await rig.publish(make());
    await until(1 + sent.length);
    const became = (await rig.records()).slice(1).map(({ kind, code }, place) => [sent[place]?.name, kind, code]);
    expect(became).toEqual(sent.map(({ name, becomes }) => [name, becomes.kind, becomes.code]));
    const letters = await rig.letters();
    const poisoned = sent.flatMap(({ becomes }, place) =>
      becomes.kind === 'poison' ? [`${place + 1} ${becomes.code}`] : [],
    );
    expect(letters.map(({ position, code }) => `${position} ${code}`)).toEqual(poisoned);
    for (const { why } of letters) expect(why.length).toBeGreaterThan(10);
    expect([await rig.durable(), rig.targets()]).toEqual([[], []]);
    await rig.publish(rig.alert({ target: 'good' }));
    await vi.waitFor(() => expect(rig.targets()).toEqual(['good']), WAIT);
    await until(2 + sent.length);
    expect([await rig.durable(), rig.errors]).toEqual([['good'], []]);
  });

  test('of which there are a thousand is all kept, and the stop behind it is one', async () => {
    await Promise.all(Array.from({ length: 1_000 }, (_, number) => rig.publish(raw(`poison ${number}`))));
    await rig.publish(rig.alert({ target: 'acme' }));
    await vi.waitFor(() => expect(rig.targets()).toEqual(['acme']), WAIT);
    await until(1_001);
    expect([(await rig.letters()).length, await rig.durable()]).toEqual([1_000, ['acme']]);
  });
});
