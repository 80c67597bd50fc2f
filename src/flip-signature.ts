import type { KeyObject } from 'node:crypto';
import { isSignedBy, signBytes } from './ed25519.ts';
import { KilldrillError } from './errors.ts';
import { FLIP_RIGHTS } from './flip-right.ts';
import type { FlipRight } from './flip-right.ts';
import { parseFlip } from './flip-text.ts';
import { readPublicKey } from './public-key.ts';
import type { Flip } from './switch.ts';

/** One public key of those who flip. */
export interface FlipKey {
  readonly right: FlipRight;
  readonly publicKey: KeyObject;
}

/** The public keys that a process knows; several, as while they are turned. Never empty. */
export type FlipKeys = readonly FlipKey[];

const MAX_KEYS = 16;
const FORM =
  "'stop:KEY' or 'stop+release:KEY', KEY being what 'killdrill keys show' prints, several with commas between";

/** Signs as the holder of this private key: Ed25519 over a flip's canonical text, base64. */
export function signerOf(privateKey: KeyObject): (text: string) => string {
  return (text) => signBytes(Buffer.from(text, 'utf8'), privateKey);
}

/**
 * Reads public keys, each with what it may sign: `stop:KEY` or `stop+release:KEY`, several with commas or white space
 * between them; a key is the base64 of its DER (SubjectPublicKeyInfo). It is the form of `KILLDRILL_PUBLIC_KEY`.
 *
 * @throws KilldrillError `FLIP_KEYS_INVALID` naming the entry, what was found and what was expected.
 */
export function readFlipKeys(text: string): FlipKeys {
  if (text.includes('PRIVATE KEY')) {
    throw invalid('a private key stands there, expected public ones; make a new pair, this one is spoilt');
  }
  if (text.includes('-----BEGIN')) throw invalid(`a PEM block stands there, expected ${FORM}`);
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  if (entries.length === 0) throw invalid(`there is none, expected ${FORM}; to go without signatures leave it unset`);
  if (entries.length > MAX_KEYS) throw invalid(`there are ${entries.length}, expected at most ${MAX_KEYS}`);
  const keys: FlipKey[] = [];
  for (const [index, entry] of entries.entries()) {
    const key = readEntry(entry, `entry ${index + 1}`);
    if (keys.some((other) => other.publicKey.equals(key.publicKey))) {
      throw invalid(`entry ${index + 1} names a key that an entry before it has; give each key once, with one right`);
    }
    keys.push(key);
  }
  return keys;
}

function readEntry(entry: string, where: string): FlipKey {
  const colon = entry.indexOf(':');
  const right = FLIP_RIGHTS.find((known) => known === entry.slice(0, Math.max(0, colon)));
  const key = entry.slice(colon + 1);
  // What stands before the colon may be shown; the rest may be a secret that somebody took for the other half.
  const publicKey = readPublicKey(key, where, invalid);
  if (right !== undefined) return { right, publicKey };
  const found = colon < 0 ? 'has no right before its key' : `has the right '${entry.slice(0, Math.min(colon, 40))}'`;
  throw invalid(`${where} ${found}, expected ${FORM}`);
}

/** Whether a key that may sign flips of this kind has signed exactly this text. Never throws. */
export function isProven(keys: FlipKeys, kind: Flip['kind'], text: string, signature: string | null): boolean {
  if (signature === null) return false;
  const bytes = Buffer.from(text, 'utf8');
  return keys.some(
    ({ right, publicKey }) => (kind === 'stop' || right === 'stop+release') && isSignedBy(bytes, signature, publicKey),
  );
}

/** Whether a flip's text is signed by a key that may sign it: any of them a stop, only one with that right a release. Never throws. */
export function verifyFlip(keys: FlipKeys, text: string, signature: string | null): boolean {
  try {
    return isProven(keys, parseFlip(text).kind, text, signature);
  } catch {
    return false;
  }
}

/** The form that `readFlipKeys` reads. */
export function flipKeyText(right: FlipRight, publicKey: KeyObject): string {
  return `${right}:${publicKey.export({ format: 'der', type: 'spki' }).toString('base64')}`;
}

function invalid(what: string, cause?: unknown): KilldrillError {
  return new KilldrillError('FLIP_KEYS_INVALID', `the public keys for flips are refused: ${what}`, { cause });
}
