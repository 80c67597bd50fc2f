import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import { sealAlert } from '../../src/alerts/alert-sender.ts';
import type { SealedAlert } from '../../src/alerts/alert-sender.ts';
import { DRILL_DETECTOR, NARROW_DETECTOR } from './drill-keys.ts';

export interface PoisonParts {
  readonly namespace: string;
  readonly privateKey: KeyObject;
  readonly id: string;
  readonly nowMs: number;
}

const HOUR_MS = 3_600_000;
/** How many sorts of poison there are. */
export const POISON_SORTS = 6;

/**
 * What no executor may act on: each asks for a global stop or cannot be read, so that one who takes it shows it at once. The
 * sorts come in turn: junk, a signature by somebody else's key, a detector without a key, one that asks for more than it
 * may, one that is raised in the future, and one without a signature.
 */
export function poisonAlert(nth: number, { namespace, privateKey, id, nowMs }: PoisonParts): SealedAlert {
  const sort = nth % POISON_SORTS;
  const key = `poison:${nth}`;
  if (sort === 0) return { bytes: Buffer.from(`{"poison": "${id}"`), signature: null, key };
  const raisedMs = sort === 4 ? nowMs + HOUR_MS : nowMs;
  const detector = sort === 2 ? 'drill-stranger' : sort === 3 ? NARROW_DETECTOR : DRILL_DETECTOR;
  const signer = sort === 1 ? generateKeyPairSync('ed25519').privateKey : sort === 5 ? null : privateKey;
  const sealed = sealAlert(
    {
      ...{
        version: 1,
        namespace,
        id,
        detector,
        scope: 'global',
        target: '*',
        mode: 'halt_all',
        reason: `poison ${nth}`,
      },
      ...{ raisedAt: new Date(raisedMs).toISOString(), expiresAt: new Date(raisedMs + HOUR_MS).toISOString() },
    },
    signer,
  );
  return { ...sealed, key };
}
