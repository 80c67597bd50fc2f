import type { Prng } from '../../../../harness/traffic/prng.ts';
import type { AlertPublisher } from '../../../../src/alerts/alert-bus.ts';
import { judgeAlert } from '../../../../src/alerts/judge-alert.ts';
import { below } from '../../store/postgres/queue-storm.ts';
import { messageOf, newDetector, policyFor, raw, signed } from '../samples.ts';
import type { Sent } from '../samples.ts';
import type { AcknowledgedAlert } from './judge.ts';

const LIFE_MS = 3_600_000;
/** Targets that alerts are keyed by: on a bus with partitions, every one of them gets some. */
const KEYS = 16;

/** What the detector of a storm says, and what of it the bus has acknowledged. */
export class StormAlerts {
  readonly acknowledged: AcknowledgedAlert[] = [];
  readonly detector = newDetector();
  readonly #stops: Sent[] = [];
  readonly #namespace: string;
  readonly #publisher: AlertPublisher;

  constructor(namespace: string, publisher: AlertPublisher) {
    this.#namespace = namespace;
    this.#publisher = publisher;
  }

  /** A stop, one of the last stops again, or poison. */
  draw(prng: Prng, id: string): Sent {
    const kind = prng.uniform();
    if (kind < 0.15) return raw(`poison ${id}`);
    const [before] = this.#stops.slice(-1 - below(prng, 10));
    if (kind < 0.25 && before !== undefined) return before;
    // Some are enforced before the store has answered, most wait for it.
    return this.stopOf(id, `tenant-${id}`, prng.uniform() < 0.3 ? { observedRevision: 1_000_000 } : {});
  }

  stopOf(id: string, target: string, seen: { readonly observedRevision?: number } = {}): Sent {
    const now = Date.now();
    const at = { raisedAt: new Date(now).toISOString(), expiresAt: new Date(now + LIFE_MS).toISOString() };
    return signed(this.detector, { namespace: this.#namespace, id, target, ...at, ...seen });
  }

  async publish(alert: Sent): Promise<void> {
    const policy = policyFor([this.detector], { namespace: this.#namespace });
    const judgement = judgeAlert(messageOf(alert), policy, Date.now());
    const flipId = judgement.kind === 'trip' ? judgement.trip.flipId : null;
    await this.#publisher.publish(alert.bytes, alert.signature, `tenant:${this.acknowledged.length % KEYS}`);
    if (flipId !== null) this.#stops.push(alert);
    this.acknowledged.push({ content: Buffer.from(alert.bytes).toString(), flipId });
  }
}
