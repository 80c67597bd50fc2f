import { describe, expect, test } from 'vitest';
import { AlertSender } from '../../../src/alerts/alert-sender.ts';
import type { AlertSenderParts } from '../../../src/alerts/alert-sender.ts';
import { readAlert } from '../../../src/alerts/alert.ts';
import { judgeAlert } from '../../../src/alerts/judge-alert.ts';
import type { AlertDraft } from '../../../src/detect/alert-draft.ts';
import { ManualClock } from '../manual-clock.ts';
import { NAMESPACE, NOW_MS, messageOf, newDetector, policyFor } from './samples.ts';
import type { Sent } from './samples.ts';

const DRAFT: AlertDraft = {
  ...{ detector: 'write-rate', scope: 'tenant', target: 'acme', mode: 'halt_all', reason: 'it writes too much' },
  evidence: { metric: 'writes per second', value: 120, threshold: 50 },
};
const detector = newDetector();

async function raised(parts: Partial<AlertSenderParts> = {}): Promise<Sent & { readonly key: string }> {
  const sent: (Sent & { readonly key: string })[] = [];
  const sender = new AlertSender({
    publisher: { publish: async (bytes, signature, key) => void sent.push({ bytes, signature, key }) },
    ...{ namespace: NAMESPACE, privateKey: detector.privateKey, clock: new ManualClock() },
    ...{ newId: () => 'id-1', observedRevision: () => 7 },
    ...parts,
  });
  await sender.raise(DRAFT);
  expect(sent).toHaveLength(1);
  return sent[0] ?? expect.fail();
}

describe('an alert sender', () => {
  test("makes of a detector's draft an alert that an executor takes for its stop", async () => {
    const { key, ...sent } = await raised();
    expect(key).toBe('tenant:acme');
    expect(readAlert(sent.bytes)).toMatchObject({
      kind: 'full',
      alert: { ...DRAFT, id: 'id-1', namespace: NAMESPACE, observedRevision: 7 },
    });
    const judged = judgeAlert(messageOf(sent), policyFor([detector]), NOW_MS);
    expect(judged).toMatchObject({ kind: 'trip', trip: { detector: 'write-rate', ground: { revision: 7 } } });
  });

  test('lets an alert expire after five minutes, or after what it is told', async () => {
    for (const [parts, lifeMs] of [
      [{}, 300_000],
      [{ lifeMs: 1_000 }, 1_000],
    ] as const) {
      const sent = await raised(parts);
      const judgedAfter = (ms: number) =>
        judgeAlert(messageOf(sent), policyFor([detector], { skewMs: 0 }), NOW_MS + ms);
      expect([judgedAfter(lifeMs).kind, judgedAfter(lifeMs + 1).kind]).toEqual(['trip', 'expired']);
    }
  });

  test('signs nothing without a key, and names no revision where none was seen', async () => {
    const { bytes, signature } = await raised({ privateKey: null, observedRevision: () => null });
    expect(signature).toBeNull();
    expect(Buffer.from(bytes).toString()).not.toContain('observedRevision');
  });

  test('fails as its publisher does', async () => {
    const publisher = { publish: () => Promise.reject(new Error('away')) };
    await expect(raised({ publisher })).rejects.toThrow('away');
  });
});
