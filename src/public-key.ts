import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { messageOf } from './errors.ts';
import type { KilldrillError } from './errors.ts';

/** Says what is wrong with a key, in the words of whoever reads it. */
export type RefuseKey = (what: string, cause?: unknown) => KilldrillError;

/**
 * Reads an Ed25519 public key: PEM, or base64 of its DER (SubjectPublicKeyInfo).
 *
 * @throws KilldrillError what `refuse` makes of it; a private key is named as such, and never repeated.
 */
export function readPublicKey(text: string, where: string, refuse: RefuseKey): KeyObject {
  // Node would silently derive the public key, and the secret would stay where everybody reads.
  if (isPrivateKey(text)) {
    throw refuse(`${where} holds a private key, expected the public one; make a new pair, this one is spoilt`);
  }
  let key: KeyObject;
  try {
    key = text.includes('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  } catch (cause) {
    throw refuse(`${where} holds no readable public key (${messageOf(cause)}); expected PEM, or base64 of DER`, cause);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw refuse(`${where} holds a key of type ${String(key.asymmetricKeyType)}, expected ed25519`);
}

function isPrivateKey(text: string): boolean {
  if (text.includes('PRIVATE KEY')) return true;
  try {
    createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
    return true;
  } catch {
    return false;
  }
}
