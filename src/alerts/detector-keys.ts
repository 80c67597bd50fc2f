import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { KilldrillError } from '../errors.ts';
import { readPublicKey } from '../public-key.ts';
import { SCOPES, STOP_MODES } from '../switch.ts';
import type { Scope, StopMode } from '../switch.ts';
import { detectorName } from './alert.ts';

/** How far an alert may reach. */
export interface Reach {
  /** It may ask for this scope and those after it in `SCOPES`, which has the widest first. */
  readonly widestScope: Scope;
  /** It may ask for this mode and milder ones. */
  readonly strictestMode: StopMode;
}

/** One key that a detector signs with. */
export interface DetectorKey extends Reach {
  readonly detector: string;
  readonly publicKey: KeyObject;
}

/** By detector; one may have several keys, as while they are exchanged. */
export type DetectorKeys = ReadonlyMap<string, readonly DetectorKey[]>;

/** What an alert without a signature may ask for (DESIGN §3.8): one agent or one run. */
export const UNSIGNED_REACH: Reach = { widestScope: 'agent', strictestMode: 'halt_all' };

const MAX_KEYS = 1_000;
const keysSchema = z
  .array(
    z.strictObject({
      detector: detectorName,
      publicKey: z.string().min(1).max(2_000),
      widestScope: z.enum(SCOPES),
      strictestMode: z.enum(STOP_MODES),
    }),
  )
  .max(MAX_KEYS);

/** Whether what is asked for is within reach. */
export function isWithin(reach: Reach, asked: { readonly scope: Scope; readonly mode: StopMode }): boolean {
  return (
    SCOPES.indexOf(asked.scope) >= SCOPES.indexOf(reach.widestScope) &&
    STOP_MODES.indexOf(asked.mode) <= STOP_MODES.indexOf(reach.strictestMode)
  );
}

/**
 * Reads the list of detector keys: `{detector, publicKey, widestScope, strictestMode}` each, the key as PEM or as base64
 * of its DER (SubjectPublicKeyInfo).
 *
 * @throws KilldrillError `DETECTOR_KEYS_INVALID` naming the entry, what was found and what was expected.
 */
export function readDetectorKeys(list: unknown): DetectorKeys {
  const read = keysSchema.safeParse(list);
  if (!read.success) {
    const issue = read.error.issues[0];
    const [place, ...field] = issue?.path ?? [];
    const where =
      place === undefined ? 'list' : `entry ${Number(place) + 1}${field.length > 0 ? `'s ${field.join('.')}` : ''}`;
    throw invalid(`the ${where} is wrong: ${issue?.message ?? 'unreadable'}`);
  }
  const keys = new Map<string, DetectorKey[]>();
  for (const [index, { publicKey, ...rest }] of read.data.entries()) {
    const key: DetectorKey = {
      ...rest,
      publicKey: readPublicKey(publicKey, `entry ${index + 1} ('${rest.detector}')`, invalid),
    };
    const sameName = keys.get(rest.detector) ?? [];
    if (sameName.some((other) => other.publicKey.equals(key.publicKey))) {
      throw invalid(`entry ${index + 1} gives '${rest.detector}' a key that it has already; name each key once`);
    }
    keys.set(rest.detector, [...sameName, key]);
  }
  return keys;
}

function invalid(what: string, cause?: unknown): KilldrillError {
  return new KilldrillError('DETECTOR_KEYS_INVALID', `the detector keys are refused: ${what}`, { cause });
}
