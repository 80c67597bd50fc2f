import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Detectors } from '../../../harness/conductor/detectors.ts';
import { makeDrillKeys } from '../../../harness/conductor/drill-keys.ts';
import { recordedAlerts } from '../../../harness/drill/recorded-alerts.ts';
import { AlertExecutor } from '../../../src/alerts/alert-executor.ts';
import type { AlertPublisher } from '../../../src/alerts/alert-bus.ts';
import { readDetectorKeys } from '../../../src/alerts/detector-keys.ts';
import type { AlertPolicy } from '../../../src/alerts/judge-alert.ts';
import { systemClock } from '../../../src/clock.ts';
import { openAlertBus, openAlertPublisher } from '../../../src/store/postgres/alert-bus.ts';
import { openAlertStore } from '../../../src/store/postgres/alert-store.ts';
import { followRegistry } from '../../src/alerts/following-registry.ts';
import { PATIENT } from '../../src/store/postgres/prepared-database.ts';
import { openRig } from './rig.ts';
import type { Rig, Stage } from './rig.ts';

let rig: Rig;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  await rig.close();
});

/** A stage whose alerts are read by one executor; `through` stands before the bus. */
async function alertStage(through: (publisher: AlertPublisher) => AlertPublisher = (one) => one): Promise<Stage> {
  const stage = await rig.stage([]);
  const { namespace } = stage;
  const { flipperUrl, workerUrl } = rig.database;
  const asFlipper = { connectionString: flipperUrl, namespace, timings: PATIENT };
  const keys = makeDrillKeys();
  const policy: AlertPolicy = {
    ...{ namespace, keys: readDetectorKeys(keys.list), skewMs: 5_000, queue: 'discard', unsigned: 'accepted' },
  };
  const own = await followRegistry({ ...asFlipper, connectionString: workerUrl });
  const [bus, store, publisher] = [openAlertBus(asFlipper), openAlertStore(asFlipper), openAlertPublisher(asFlipper)];
  const executor = new AlertExecutor({ bus, store, registry: own.registry, policy, clock: systemClock });
  executor.start();
  ends.push(async () => {
    await executor.close();
    await Promise.all([own.close(), bus.close(), store.close(), publisher.close()]);
  });
  const { clock, history } = stage.test;
  stage.detectors = new Detectors({
    ...{ publisher: through(publisher), namespace, privateKey: keys.privateKey, policy, clock, history },
    ...{ newId: randomUUID, wallMs: Date.now, signal: stage.abort.signal },
    recorded: (contents) => recordedAlerts(stage.store.owner, namespace, contents),
  });
  return stage;
}

async function records(stage: Stage): Promise<readonly string[]> {
  const rows = await stage.store.owner.use('records', (ask) =>
    ask(`select kind from killdrill.alert_record where namespace = $1 order by position`, [stage.namespace]),
  );
  return rows.map(({ kind }) => String(kind));
}

const STOP = '{ flip: { scope: tenant, target: acme, mode: halt_all, via: alert } }';
const RELEASE = '{ release: { scope: tenant, target: acme } }';

describe('a stop by alert', () => {
  test('is requested before its alert leaves, and answered once the store has it under the id that was said', async () => {
    const stage = await alertStage();
    await stage.play(null, STOP, RELEASE);
    const [requested] = stage.of('flip.requested');
    const [published] = stage.of('alert.published');
    const [stop, release] = stage.of('flip.answered');
    expect(stop).toMatchObject({ flip: 1, ok: true, revision: 1, id: requested?.id, queue: 'discard' });
    expect(published).toMatchObject({
      alert: 1,
      kind: 'sound',
      flip: 1,
      flipId: stop?.id,
      scope: 'tenant',
      target: 'acme',
    });
    expect(published?.t0).toBeGreaterThanOrEqual(requested?.t1 ?? Number.POSITIVE_INFINITY);
    expect(stage.of('alert.acknowledged')).toMatchObject([{ alert: 1, ok: true, error: null }]);
    expect(release).toMatchObject({ flip: 2, ok: true, revision: 2, engagements: [stop?.id] });
    expect(await stage.handles.control.openEngagements()).toEqual([]);
  });

  test('is published again, with the same bytes, while the bus does not take it', async () => {
    let refusals = 2;
    const stage = await alertStage((genuine) => ({
      publish: (...given) => ((refusals -= 1) < 0 ? genuine.publish(...given) : Promise.reject(new Error('away'))),
    }));
    await stage.play(null, STOP);
    expect(stage.of('alert.acknowledged').map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(new Set(stage.of('alert.published').map(({ content }) => content)).size).toBe(1);
    expect(stage.of('flip.answered')).toMatchObject([{ ok: true, revision: 1 }]);
  });
});

describe('a storm of alerts', () => {
  test('comes to one stop for each sound one, and to nothing for the rest', async () => {
    const stage = await alertStage();
    await stage.play(null, '{ alerts: { count: 20, targets: 4, poison: 6, again: 3 } }', STOP);
    expect((await records(stage)).toSorted()).toEqual(
      [
        ...Array<string>(21).fill('flip'),
        ...Array<string>(3).fill('duplicate'),
        ...Array<string>(6).fill('poison'),
      ].toSorted(),
    );
    const open = await stage.handles.control.openEngagements();
    expect(new Set(open.map(({ flip }) => `${flip.scope}:${flip.target}`))).toEqual(
      new Set(['agent:storm-1', 'agent:storm-2', 'agent:storm-3', 'agent:storm-4', 'tenant:acme']),
    );
    expect(stage.of('alert.acknowledged').filter(({ ok }) => ok)).toHaveLength(30);
  });

  test('has its stale ones about the stop that was released, and none of them stops it again', async () => {
    const stage = await alertStage();
    await stage.play(null, STOP, RELEASE, '{ alerts: { stale: 3 } }');
    expect(await records(stage)).toEqual(['flip', 'stale', 'stale', 'stale']);
    expect(stage.of('alert.published').slice(1)).toMatchObject(
      Array<object>(3).fill({ kind: 'stale', flip: null, scope: 'tenant', target: 'acme' }),
    );
    expect(await stage.handles.control.openEngagements()).toEqual([]);
  });

  test('that takes its time does not hold up the timeline, and is over before the drill ends', async () => {
    const stage = await alertStage();
    await stage.play(
      null,
      '{ alerts: { count: 10, over: 1s } }',
      '{ flip: { scope: tenant, target: acme, mode: halt_all } }',
    );
    const last = stage.of('alert.published').at(-1);
    const [stop] = stage.of('flip.requested');
    expect(stop?.t0).toBeLessThan(last?.t0 ?? 0);
    expect((await records(stage)).filter((kind) => kind === 'flip')).toHaveLength(10);
  });
});
