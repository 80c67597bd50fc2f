import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { HaltPath, PathTook } from '../control/halt-paths.ts';
import { KilldrillError } from '../errors.ts';
import type { Scope, StopMode } from '../switch.ts';
import { within } from '../within.ts';
import { MAX_ALERT_LIFE_MS } from './alert.ts';
import type { AlertPublisher } from './alert-bus.ts';
import { alertFlipId, contentOf } from './alert-flip-id.ts';
import { sealAlert } from './alert-sender.ts';
import type { SealedAlert } from './alert-sender.ts';

/** The alert that asks for a stop, and the id of the flip that executors make of it: every other path uses the same. */
export interface HaltAlert {
  readonly sealed: SealedAlert;
  readonly flipId: string;
}

export interface HaltAlertParts {
  readonly namespace: string;
  /** The operator's own name among the detectors, and the private key (Ed25519) that executors know it by. */
  readonly detector: string;
  readonly privateKey: KeyObject;
  readonly newId: () => string;
  readonly nowMs: number;
}

export interface HaltWish {
  readonly scope: Scope;
  readonly target: string;
  readonly mode: StopMode;
  readonly reason: string;
}

/** Longest reason that an alert carries, characters. */
const MAX_REASON = 1_500;

/** Makes the alert of a stop. It asks for as long as an alert may, since nobody knows when an executor is back. */
export function haltAlert(parts: HaltAlertParts, { scope, target, mode, reason }: HaltWish): HaltAlert {
  const { namespace, detector, privateKey, newId, nowMs } = parts;
  const id = newId();
  const sealed = sealAlert(
    {
      ...{ version: 1, namespace, id, detector, scope, target, mode, reason: reason.slice(0, MAX_REASON) },
      ...{ raisedAt: new Date(nowMs).toISOString(), expiresAt: new Date(nowMs + MAX_ALERT_LIFE_MS).toISOString() },
    },
    privateKey,
  );
  return { sealed, flipId: alertFlipId(detector, id, contentOf(sealed.bytes)) };
}

export interface AlertPathParts {
  readonly name: string;
  /** Which bus it is, for a sentence. */
  readonly bus: string;
  readonly publisher: AlertPublisher;
  readonly alert: HaltAlert;
  readonly clock: Clock;
  /** The revision of the flip of this id, once it is stored; null while it is not, or nobody can say. */
  readonly storedAt: (flipId: string) => Promise<number | null>;
}

const LOOK_MS = 50;
/** An executor takes milliseconds; where none has by then, nobody is to be kept waiting for one. */
const LOOK_FOR_MS = 1_000;

/** The path over the alert bus: for when an executor reaches what the operator does not. */
export function haltByAlert(parts: AlertPathParts): HaltPath {
  const { name, bus, publisher, alert } = parts;
  return {
    name,
    take: async (_text, _signature, signal): Promise<PathTook> => {
      const { bytes, signature, key } = alert.sealed;
      await publisher.publish(bytes, signature, key);
      const revision = await seen(parts, signal);
      if (revision !== null) return { kind: 'durable', revision };
      const says = `the alert is on ${bus}, and no executor is known to have read it; one that does makes it a stop`;
      return { kind: 'provisional', resident: false, says };
    },
  };
}

/** Looks whether an executor has made it a stop; never rejects, since the alert is on the bus whatever comes. */
async function seen({ alert, clock, storedAt }: AlertPathParts, signal: AbortSignal): Promise<number | null> {
  let over = false;
  const looks = async (): Promise<number | null> => {
    while (!over && !signal.aborted) {
      const revision = await storedAt(alert.flipId);
      if (revision !== null) return revision;
      await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
    }
    return null;
  };
  const late = (): KilldrillError => new KilldrillError('PATH_LATE', `not stored within ${LOOK_FOR_MS} ms`);
  const revision = await within(clock, LOOK_FOR_MS, looks(), late).catch(() => null);
  over = true;
  return revision;
}
