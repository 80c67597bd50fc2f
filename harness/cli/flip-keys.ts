import { createPublicKey } from 'node:crypto';
import { readFlipKeys, signerOf } from '../../src/flip-signature.ts';
import type { FlipKeys } from '../../src/flip-signature.ts';
import { readSigningKey } from '../../src/signing-key.ts';

/** What an operator's command signs with; what is left out comes from the environment. */
export interface SigningFlags {
  readonly key?: string;
}

/** A command's own key. */
export interface Signing {
  readonly sign: (text: string) => string;
  /** Its own public key, and those of `KILLDRILL_PUBLIC_KEY`. */
  readonly keys: FlipKeys;
}

/** The public keys of `KILLDRILL_PUBLIC_KEY`; null when it is not set. @throws KilldrillError `FLIP_KEYS_INVALID` */
export function publicKeys(): FlipKeys | null {
  const text = process.env['KILLDRILL_PUBLIC_KEY'];
  return text === undefined || text === '' ? null : readFlipKeys(text);
}

/**
 * The key that a command was given; null when nobody said, and then it signs nothing.
 *
 * @throws KilldrillError `SIGNING_KEY_UNREADABLE`
 */
export function signingOf({ key }: SigningFlags): Signing | null {
  const file = key ?? process.env['KILLDRILL_SIGNING_KEY_FILE'];
  if (file === undefined || file === '') return null;
  const privateKey = readSigningKey(file);
  const publicKey = createPublicKey(privateKey);
  const told = publicKeys() ?? [];
  const isTold = told.some((one) => one.publicKey.equals(publicKey));
  // Where agents' keys are told, what this one may sign is theirs to say.
  const own: FlipKeys = isTold ? [] : [{ right: 'stop+release', publicKey }];
  return { sign: signerOf(privateKey), keys: [...told, ...own] };
}
