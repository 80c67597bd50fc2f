import { sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** Length of an Ed25519 signature, bytes. */
const SIGNATURE_BYTES = 64;

/** Signs bytes; Ed25519, base64. */
export function signBytes(bytes: Uint8Array, privateKey: KeyObject): string {
  return sign(null, bytes, privateKey).toString('base64');
}

/** Whether the signature is this key's over exactly these bytes. Never throws. */
export function isSignedBy(bytes: Uint8Array, signature: string, publicKey: KeyObject): boolean {
  const raw = Buffer.from(signature, 'base64');
  // Node's decoder skips what is not base64; a signature has one spelling only.
  if (raw.byteLength !== SIGNATURE_BYTES || raw.toString('base64') !== signature) return false;
  try {
    return verify(null, bytes, publicKey, raw);
  } catch {
    return false;
  }
}
