import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FLEET_DETECTOR, makeDrillKeys } from '../../../harness/conductor/drill-keys.ts';
import type { DrillKeys } from '../../../harness/conductor/drill-keys.ts';
import { FleetAlerts } from '../../../harness/conductor/fleet-alerts.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { sealAlert } from '../../../src/alerts/alert-sender.ts';
import { readDetectorKeys } from '../../../src/alerts/detector-keys.ts';
import { judgeAlert } from '../../../src/alerts/judge-alert.ts';
import type { AlertPolicy } from '../../../src/alerts/judge-alert.ts';
import { get, run, step } from '../world/world-client.ts';
import { openRig } from './rig.ts';
import type { Rig, Stage } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const RUNAWAY: TraceRun = { ...run('runaway-1-001', [step('write/crm')]), runaway: true };
const NOTICED = '{ flip: { scope: tenant, target: acme, mode: halt_all, via: detector, runaway: 400/s } }';
const RELEASE = '{ release: { scope: tenant, target: acme } }';
const SOON = { timeout: 10_000, interval: 2 };

interface Watched extends Stage {
  /** A worker raises an alert about this tenant, and an executor puts its stop into the store. */
  noticed(id: string, target: string): Promise<void>;
}

async function watched(): Promise<Watched> {
  const stage = await rig.stage([RUNAWAY]);
  const {
    namespace,
    test: { clock, history },
  } = stage;
  const keys = makeDrillKeys('tenant');
  const policy: AlertPolicy = {
    ...{ namespace, keys: readDetectorKeys(keys.list), skewMs: 5_000, queue: 'discard', unsigned: 'accepted' },
  };
  let alerts = 0;
  const fleetAlerts = new FleetAlerts({
    ...{ policy, clock, history, wallMs: Date.now, nextAlert: () => (alerts += 1), acknowledged: () => undefined },
  });
  stage.fleetAlerts = fleetAlerts;
  const noticed = async (id: string, target: string): Promise<void> => {
    const { line, text } = raisedBy(keys, policy, { id, target });
    fleetAlerts.heard(line);
    await stage.handles.control.flip(text, null);
  };
  return { ...stage, noticed };
}

function raisedBy(
  keys: DrillKeys,
  policy: AlertPolicy,
  { id, target }: { readonly id: string; readonly target: string },
) {
  const privateKey = createPrivateKey({
    key: Buffer.from(keys.fleetKey ?? '', 'base64'),
    format: 'der',
    type: 'pkcs8',
  });
  const nowMs = Date.now();
  const at = { raisedAt: new Date(nowMs).toISOString(), expiresAt: new Date(nowMs + 60_000).toISOString() };
  const what = { scope: 'tenant', target, mode: 'halt_all', reason: 'too many writes', observedRevision: 0 } as const;
  const sealed = sealAlert(
    { version: 1, namespace: policy.namespace, id, detector: FLEET_DETECTOR, ...what, ...at },
    privateKey,
  );
  const place = { topic: '', partition: 0, position: 0, publishedAtMs: nowMs };
  const judged = judgeAlert({ ...place, ...sealed }, policy, nowMs);
  if (judged.kind !== 'trip') throw new Error(judged.why);
  const line = { event: 'alert.raised', text: Buffer.from(sealed.bytes).toString(), signature: sealed.signature };
  return { line, text: judged.trip.text };
}

describe("a stop for the fleet's own detectors", () => {
  test('is asked for by nobody: a runaway is let loose, and the first stop of a detector is the one', async () => {
    const stage = await watched();
    const { url } = await stage.test.world.openChannel('worker-1');
    stage.test.world.startArrivals(stage.test.clock.nowNs());
    const work = get(`${url}/work`);
    const played = stage.play(null, NOTICED, RELEASE);
    expect(await work.answer).toMatchObject({ status: 200, body: { run: 'runaway-1-001' } });
    const [loose] = stage.of('runaway.loose');
    expect(loose).toMatchObject({ flip: 1, scope: 'tenant', target: 'acme', runs: 1 });
    expect(stage.of('flip.requested')).toEqual([]);
    await stage.noticed('elsewhere', 'other');
    await stage.noticed('first', 'acme');
    await played;
    const [stop] = stage.of('flip.requested');
    const [published] = stage.of('alert.published').filter(({ target }) => target === 'acme');
    expect(stop).toMatchObject({ flip: 1, kind: 'stop', mode: 'halt_all', queue: 'discard', id: published?.flipId });
    expect([stop?.t0, published?.t0]).toEqual([loose?.t0, loose?.t0]);
    expect(stop?.t1).toBe(published?.t1);
    expect(stage.of('flip.answered')[0]).toMatchObject({ flip: 1, ok: true, revision: 2 });
  });

  test('is released with every engagement that detectors have opened there, and with no other', async () => {
    const stage = await watched();
    const played = stage.play(null, NOTICED, `{ at: +300ms, ${RELEASE.slice(2)}`);
    await vi.waitFor(() => expect(stage.of('runaway.loose')).toHaveLength(1), SOON);
    for (const id of ['first', 'second', 'third']) await stage.noticed(id, 'acme');
    await stage.noticed('elsewhere', 'other');
    await played;
    const [, release] = stage.of('flip.answered');
    expect(release).toMatchObject({ flip: 2, kind: 'release', ok: true });
    expect(release?.engagements).toHaveLength(3);
    const open = await stage.handles.control.openEngagements();
    expect(open.map(({ flip }) => flip.target)).toEqual(['other']);
  });
});
