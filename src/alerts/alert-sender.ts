import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { AlertDraft, AlertPort } from '../detect/alert-draft.ts';
import { alertText } from './alert.ts';
import type { Alert } from './alert.ts';
import type { AlertPublisher } from './alert-bus.ts';
import { signAlert } from './alert-signature.ts';

/** An alert as it goes to a bus. */
export interface SealedAlert {
  readonly bytes: Uint8Array;
  /** Base64; null when it is unsigned. */
  readonly signature: string | null;
  /** Chooses the partition: alerts about one switch keep their order. */
  readonly key: string;
}

/** Makes the bytes of an alert and, with the detector's private key (Ed25519), the signature over them. */
export function sealAlert(alert: Alert, privateKey: KeyObject | null): SealedAlert {
  const bytes = Buffer.from(alertText(alert));
  const signature = privateKey === null ? null : signAlert(bytes, privateKey);
  return { bytes, signature, key: `${alert.scope}:${alert.target}` };
}

export interface AlertSenderParts {
  readonly publisher: AlertPublisher;
  readonly namespace: string;
  /** The detectors' private key; null for alerts without a signature, which reach one agent or run. */
  readonly privateKey: KeyObject | null;
  /** Makes ids that are unique for ever, as `randomUUID` does. */
  readonly newId: () => string;
  readonly clock: Clock;
  /** The last revision that the detectors' process has seen (`registry.head?.revision`); null where it sees none. */
  readonly observedRevision: () => number | null;
  /** How long an alert asks for its stop, milliseconds, at most a day. Default 300,000: five minutes. */
  readonly lifeMs?: number;
}

const DEFAULT_LIFE_MS = 300_000;

/** Publishes what detectors ask for as signed alerts; where `Detection` puts its drafts. */
export class AlertSender implements AlertPort {
  readonly #parts: AlertSenderParts;

  constructor(parts: AlertSenderParts) {
    this.#parts = parts;
  }

  /**
   * Resolves once the bus has the alert for certain. Each call makes an alert of its own, with a new id.
   *
   * @throws what the publisher throws; the bus may have the alert all the same.
   */
  async raise(draft: AlertDraft): Promise<void> {
    const { publisher, namespace, privateKey, newId, clock, observedRevision, lifeMs = DEFAULT_LIFE_MS } = this.#parts;
    const nowMs = clock.wallMs();
    const revision = observedRevision();
    const { detector, scope, target, mode, reason, evidence } = draft;
    const { bytes, signature, key } = sealAlert(
      {
        ...{ version: 1, namespace, id: newId(), detector, scope, target, mode, reason, evidence },
        ...{ raisedAt: new Date(nowMs).toISOString(), expiresAt: new Date(nowMs + lifeMs).toISOString() },
        ...(revision === null ? {} : { observedRevision: revision }),
      },
      privateKey,
    );
    await publisher.publish(bytes, signature, key);
  }
}
