import type { KeyObject } from 'node:crypto';
import { signBytes } from '../ed25519.ts';

/** Name of the header, or column, in which an alert's signature travels beside its bytes. */
export const SIGNATURE_HEADER = 'killdrill-signature';

/** Signs the bytes that are sent; Ed25519, base64. */
export function signAlert(bytes: Uint8Array, privateKey: KeyObject): string {
  return signBytes(bytes, privateKey);
}
