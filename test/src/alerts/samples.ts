import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { alertText } from '../../../src/alerts/alert.ts';
import type { Alert } from '../../../src/alerts/alert.ts';
import type { BusMessage } from '../../../src/alerts/alert-bus.ts';
import { signAlert } from '../../../src/alerts/alert-signature.ts';
import { readDetectorKeys } from '../../../src/alerts/detector-keys.ts';
import type { Reach } from '../../../src/alerts/detector-keys.ts';
import type { AlertPolicy } from '../../../src/alerts/judge-alert.ts';

export const NAMESPACE = 'ns';
export const TOPIC = 'killdrill.alerts';
/** The manual clock's first wall time. */
export const NOW_MS = 1_700_000_010_000;

export function at(offsetMs: number): string {
  return new Date(NOW_MS + offsetMs).toISOString();
}

export function sampleAlert(alert: Partial<Alert> = {}): Alert {
  return {
    ...{
      version: 1,
      namespace: NAMESPACE,
      id: 'a1',
      raisedAt: at(-100),
      expiresAt: at(60_000),
      detector: 'write-rate',
    },
    ...{ scope: 'tenant', target: 'acme', mode: 'halt_all', reason: 'it writes too much' },
    ...alert,
  };
}

export interface Detector {
  readonly privateKey: KeyObject;
  readonly entry: Reach & { readonly detector: string; readonly publicKey: string };
}

export function newDetector(detector = 'write-rate', reach: Partial<Reach> = {}): Detector {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return {
    privateKey,
    entry: { detector, publicKey: pem, widestScope: 'tenant', strictestMode: 'halt_all', ...reach },
  };
}

/** An alert's bytes and its signature. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly signature: string | null;
}

export function signed(detector: Detector, alert: Partial<Alert> = {}): Sent {
  const bytes = Buffer.from(alertText(sampleAlert(alert)));
  return { bytes, signature: signAlert(bytes, detector.privateKey) };
}

export function raw(value: unknown): Sent {
  return { bytes: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), signature: null };
}

export function messageOf(sent: Sent, where: Partial<BusMessage> = {}): BusMessage {
  return { topic: TOPIC, partition: 0, position: 0, publishedAtMs: NOW_MS, ...sent, ...where };
}

export function policyFor(detectors: readonly Detector[], policy: Partial<AlertPolicy> = {}): AlertPolicy {
  const keys = readDetectorKeys(detectors.map(({ entry }) => entry));
  return { namespace: NAMESPACE, keys, skewMs: 5_000, queue: 'discard', unsigned: 'accepted', ...policy };
}
