import { createHash, createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { FLEET_DETECTOR, makeDrillKeys } from '../../../harness/conductor/drill-keys.ts';
import { FleetAlerts } from '../../../harness/conductor/fleet-alerts.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import type { AlertFacts } from '../../../harness/history/event.ts';
import { sealAlert } from '../../../src/alerts/alert-sender.ts';
import type { Alert } from '../../../src/alerts/alert.ts';
import { readDetectorKeys } from '../../../src/alerts/detector-keys.ts';
import type { AlertPolicy } from '../../../src/alerts/judge-alert.ts';
import { Recorded } from '../world/world-client.ts';

const NOW_MS = 1_700_000_000_000;
const keys = makeDrillKeys('tenant');
const privateKey = createPrivateKey({
  key: Buffer.from(keys.fleetKey ?? '', 'base64'),
  format: 'der',
  type: 'pkcs8',
});

interface Stage {
  readonly alerts: FleetAlerts;
  readonly history: Recorded;
  readonly acknowledged: readonly AlertFacts[];
}

function stage(): Stage {
  const clock = startDrillClock();
  const history = new Recorded(clock);
  const acknowledged: AlertFacts[] = [];
  let alerts = 0;
  const policy: AlertPolicy = {
    ...{ namespace: 'ns', keys: readDetectorKeys(keys.list), skewMs: 5_000 },
    ...{ queue: 'discard', unsigned: 'accepted' },
  };
  return {
    alerts: new FleetAlerts({
      ...{ policy, clock, history, wallMs: () => NOW_MS, nextAlert: () => (alerts += 1) },
      acknowledged: (facts) => void acknowledged.push(facts),
    }),
    history,
    acknowledged,
  };
}

function raised(more: Partial<Alert> = {}) {
  const { bytes, signature } = sealAlert(
    {
      ...{ version: 1, namespace: 'ns', id: 'a1', detector: FLEET_DETECTOR, scope: 'tenant', target: 'acme' },
      ...{ mode: 'halt_all', reason: 'it writes too much', observedRevision: 0 },
      ...{ raisedAt: new Date(NOW_MS).toISOString(), expiresAt: new Date(NOW_MS + 60_000).toISOString() },
      ...more,
    },
    privateKey,
  );
  const content = createHash('sha256').update(bytes).digest('hex');
  return { content, line: { event: 'alert.raised', text: Buffer.from(bytes).toString(), signature } };
}

describe("an alert of the fleet's own detectors", () => {
  test('is on record as published, with the stop that an executor makes of it', () => {
    const { alerts, history } = stage();
    const { line, content } = raised();
    alerts.heard(line);
    const [published] = history.of('alert.published');
    expect(published).toMatchObject({
      ...{ alert: 1, kind: 'sound', flip: null, detector: FLEET_DETECTOR, id: 'a1', content },
      ...{ scope: 'tenant', target: 'acme', mode: 'halt_all' },
    });
    expect(alerts.heardNs(published?.flipId ?? '')).toBe(published?.t1);
    expect(alerts.heardNs('alert-other')).toBeNull();
  });

  test('was not raised before its runaway was let loose, nor after it was heard of', () => {
    const { alerts, history } = stage();
    alerts.loosed({ scope: 'tenant', target: 'acme' }, 5);
    alerts.heard(raised().line);
    alerts.heard(raised({ id: 'a2', target: 'other' }).line);
    const [ofRunaway, other] = history.of('alert.published');
    expect(ofRunaway?.t0).toBe(5);
    expect(ofRunaway?.t1).toBeGreaterThan(5);
    expect(other?.t0).toBe(other?.t1);
  });

  test('has to get on record once the bus has acknowledged it, and not before', () => {
    const { alerts, history, acknowledged } = stage();
    const { line, content } = raised();
    alerts.heard(line);
    alerts.heard({ event: 'alert.acknowledged', content, ok: false, error: 'the bus is away' });
    expect(acknowledged).toEqual([]);
    alerts.heard({ event: 'alert.acknowledged', content, ok: true, error: null });
    expect(acknowledged).toMatchObject([{ alert: 1, content }]);
    expect(history.of('alert.acknowledged')).toMatchObject([
      { alert: 1, ok: false, error: 'the bus is away' },
      { alert: 1, ok: true, error: null },
    ]);
  });

  test('is poison where its key may not ask for that', () => {
    const { alerts, history } = stage();
    alerts.heard(raised({ scope: 'global', target: '*' }).line);
    alerts.heard(raised({ mode: 'emergency' }).line);
    expect(history.of('alert.published')).toMatchObject([
      { kind: 'poison', flipId: null },
      { kind: 'poison', flipId: null },
    ]);
  });

  test('is nothing that an acknowledgement, or a line of another kind, makes by itself', () => {
    const { alerts, history, acknowledged } = stage();
    alerts.heard({ event: 'alert.acknowledged', content: 'unheard', ok: true, error: null });
    alerts.heard({ event: 'stopped', revision: 1 });
    alerts.heard({ event: 'alert.raised', text: 7 });
    expect(history.events).toEqual([]);
    expect(acknowledged).toEqual([]);
  });
});

test('a fleet without detectors has no key, and executors none of its', () => {
  const { fleetKey, list } = makeDrillKeys();
  expect(fleetKey).toBeNull();
  expect(list.map(({ detector }) => detector)).not.toContain(FLEET_DETECTOR);
});
