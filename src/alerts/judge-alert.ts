import { KilldrillError, messageOf } from '../errors.ts';
import { canonicalText } from '../flip-text.ts';
import { STOP_MODES } from '../switch.ts';
import type { QueuePolicy, Scope, StopMode } from '../switch.ts';
import { readAlert } from './alert.ts';
import type { Alert, ReadAlert, ShortAlert } from './alert.ts';
import type { BusMessage } from './alert-bus.ts';
import { isSignedBy } from '../ed25519.ts';
import { alertFlipId, contentOf } from './alert-flip-id.ts';
import type { AlertTrip, StaleGround } from './alert-store.ts';
import { UNSIGNED_REACH, isWithin } from './detector-keys.ts';
import type { DetectorKeys, Reach } from './detector-keys.ts';

/** What the operator decided beforehand about alerts. */
export interface AlertPolicy {
  readonly namespace: string;
  readonly keys: DetectorKeys;
  /** How far clocks of detectors and executors may differ, milliseconds. */
  readonly skewMs: number;
  /** What becomes of queued work that an alert stops. */
  readonly queue: Exclude<QueuePolicy, 'drain'>;
  /** Whether alerts without a signature are read at all; those that are reach one agent or run. */
  readonly unsigned: 'accepted' | 'refused';
  /** The strictest mode that a stop of an alert has; one that asks for more has this. Default: as the alert asks. */
  readonly strictestMode?: StopMode;
}

/** Clocks that are kept by NTP differ by less; wider means: trip rather than call stale or expired. */
export const DEFAULT_SKEW_MS = 5_000;

export type PoisonCode =
  | 'oversized'
  | 'unreadable'
  | 'other-namespace'
  | 'unknown-detector'
  | 'forged'
  | 'unsigned'
  | 'overreaching'
  | 'future-dated'
  /** Its id was used with other content; the store tells. */
  | 'reused-id'
  /** The store cannot keep the stop that it asks for. */
  | 'refused-by-store';

export type Judgement =
  | { readonly kind: 'trip'; readonly trip: AlertTrip }
  | { readonly kind: 'poison'; readonly code: PoisonCode; readonly why: string }
  | { readonly kind: 'expired'; readonly why: string };

type Poison = Extract<Judgement, { readonly kind: 'poison' }>;

/** What is asked for, in either form, and by whom. */
interface Wish {
  /** Who asks, as far as proven: `unsigned:` before the name that an unsigned alert gave itself. */
  readonly detector: string;
  readonly alertId: string;
  readonly scope: Scope;
  readonly target: string;
  readonly mode: StopMode;
  readonly reason: string;
  readonly at: string;
  readonly ground: StaleGround;
}

const SHORT_FORM = 'short-form';

/**
 * What an alert comes to, from its bytes, the operator's keys and the time alone: the same in every executor, and at each
 * reading but for time. Never throws. Whether it is stale or a duplicate is the store's to say.
 */
export function judgeAlert(message: BusMessage, policy: AlertPolicy, nowMs: number): Judgement {
  let read: ReadAlert;
  try {
    read = readAlert(message.bytes);
  } catch (thrown) {
    const isLarge = thrown instanceof KilldrillError && thrown.code === 'ALERT_TOO_LARGE';
    return poison(isLarge ? 'oversized' : 'unreadable', messageOf(thrown));
  }
  const proven = read.kind === 'full' ? proveSender(message, read.alert, policy) : shortSender(message, policy);
  if (proven.kind === 'poison') return proven;
  if (read.kind === 'short') return tripFor(message, shortWish(message, read.alert, policy), policy);
  const { alert } = read;
  const refused = refuseTimes(alert, policy, nowMs);
  return refused ?? tripFor(message, fullWish(alert, proven.detector, policy), policy);
}

type Proof = { readonly kind: 'proven'; readonly detector: string } | Poison;

function proveSender(message: BusMessage, alert: Alert, policy: AlertPolicy): Proof {
  const { detector, namespace } = alert;
  if (namespace !== policy.namespace) {
    return poison(
      'other-namespace',
      `the alert is of namespace '${namespace}', this executor of '${policy.namespace}'`,
    );
  }
  const { bytes, signature } = message;
  if (signature === null) {
    return policy.unsigned === 'refused' ? unsigned() : within(UNSIGNED_REACH, alert, `unsigned:${detector}`);
  }
  const keys = policy.keys.get(detector);
  if (keys === undefined) {
    return poison(
      'unknown-detector',
      `the alert is signed as detector '${detector}', which has no key here; add its key`,
    );
  }
  const key = keys.find(({ publicKey }) => isSignedBy(bytes, signature, publicKey));
  if (key === undefined) {
    const count = keys.length === 1 ? 'its key' : `any of its ${keys.length} keys`;
    return poison('forged', `the alert is signed as detector '${detector}', but not by ${count}`);
  }
  return within(key, alert, detector);
}

/** The short form has no place for a name, so that a signature over it would prove nobody. */
function shortSender(message: BusMessage, policy: AlertPolicy): Proof {
  if (message.signature !== null) {
    return poison('forged', 'a short-form alert is signed, but it names no detector; sign the full form');
  }
  return policy.unsigned === 'refused' ? unsigned() : { kind: 'proven', detector: `unsigned:${SHORT_FORM}` };
}

function unsigned(): Poison {
  return poison('unsigned', 'the alert has no signature, and this executor reads signed alerts only');
}

function within(reach: Reach, alert: Alert, detector: string): Proof {
  if (isWithin(reach, alert)) return { kind: 'proven', detector };
  const { widestScope, strictestMode } = reach;
  return poison(
    'overreaching',
    `'${detector}' asks for ${alert.mode} of ${alert.scope} '${alert.target}', but may ask for at most ${strictestMode} of scope '${widestScope}'`,
  );
}

function refuseTimes(alert: Alert, { skewMs }: AlertPolicy, nowMs: number): Judgement | null {
  const { raisedAt, expiresAt } = alert;
  const nowIs = new Date(nowMs).toISOString();
  if (Date.parse(raisedAt) > nowMs + skewMs) {
    return poison('future-dated', `the alert was raised at ${raisedAt}, and it is ${nowIs}; set the detector's clock`);
  }
  if (Date.parse(expiresAt) + skewMs >= nowMs) return null;
  return { kind: 'expired', why: `the alert expired at ${expiresAt}, and it is ${nowIs}` };
}

function fullWish(alert: Alert, detector: string, { skewMs }: AlertPolicy): Wish {
  const { id, scope, target, mode, raisedAt, observedRevision, evidence } = alert;
  const measured =
    evidence === undefined ? '' : ` (${evidence.metric} ${evidence.value}, threshold ${evidence.threshold})`;
  const ground: StaleGround =
    observedRevision === undefined
      ? { kind: 'instant', atMs: Date.parse(raisedAt) + skewMs }
      : { kind: 'revision', revision: observedRevision };
  return { detector, alertId: id, scope, target, mode, reason: `${alert.reason}${measured}`, at: raisedAt, ground };
}

/**
 * The short form has no id: its place on the bus is one, with the time at which it got there, since a topic that was made
 * anew counts its places anew. The same wish sent twice is two alerts: the second may come after the release of the first.
 */
function shortWish(message: BusMessage, alert: ShortAlert, { skewMs }: AlertPolicy): Wish {
  const { topic, partition, position, publishedAtMs } = message;
  return {
    detector: `unsigned:${SHORT_FORM}`,
    alertId: `${topic}/${partition}/${position}/${publishedAtMs}`,
    ...{ scope: 'agent', target: alert.agent_id, mode: 'halt_all', reason: alert.reason },
    at: new Date(publishedAtMs).toISOString(),
    ground: { kind: 'instant', atMs: publishedAtMs + skewMs },
  };
}

function tripFor(message: BusMessage, wish: Wish, { namespace, queue, strictestMode }: AlertPolicy): Judgement {
  const { detector, alertId, scope, target, reason, at, ground } = wish;
  const mode = milder(wish.mode, strictestMode ?? wish.mode);
  const content = contentOf(message.bytes);
  const id = alertFlipId(detector, alertId, content);
  const what = { namespace, id, kind: 'stop', scope, target, mode, queue, reason } as const;
  const text = canonicalText({ ...what, triggeredBy: detector, source: 'alert', at });
  return { kind: 'trip', trip: { detector, alertId, content, flipId: id, text, ground } };
}

function milder(one: StopMode, other: StopMode): StopMode {
  return STOP_MODES.indexOf(one) < STOP_MODES.indexOf(other) ? one : other;
}

function poison(code: PoisonCode, why: string): Poison {
  return { kind: 'poison', code, why };
}
