import { createHmac, sign, timingSafeEqual, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { KilldrillError } from '../errors.ts';

/** Vouches for the content of a state file. */
export interface StateSeal {
  /** Makes a seal over a text; null for those who may only check. */
  readonly make: ((text: string) => string) | null;
  /** Whether a seal is that of this text. Never throws. */
  holds(text: string, seal: string | null): boolean;
}

/** Shortest key of an HMAC, bytes. */
const MIN_KEY_BYTES = 16;

/**
 * HMAC-SHA256 with one key for all: whoever can check the file can write it too. For processes that trust each other.
 *
 * @throws KilldrillError `HMAC_KEY_SHORT` for a key of less than 16 bytes.
 */
export function hmacSeal(key: string | Uint8Array): StateSeal {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'utf8') : Buffer.from(key);
  if (bytes.byteLength < MIN_KEY_BYTES) {
    throw new KilldrillError(
      'HMAC_KEY_SHORT',
      `the key of the state file has ${bytes.byteLength} bytes; expected at least ${MIN_KEY_BYTES}, for example from 'openssl rand -hex 32'`,
    );
  }
  const raw = (text: string): Buffer => createHmac('sha256', bytes).update(text, 'utf8').digest();
  return {
    make: (text) => `hmac-sha256:${raw(text).toString('hex')}`,
    holds: (text, seal) => {
      const given = Buffer.from(/^hmac-sha256:([0-9a-f]{64})$/.exec(seal ?? '')?.[1] ?? '', 'hex');
      const expected = raw(text);
      return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
    },
  };
}

/** Ed25519: agents hold public keys only, and cannot write a file that others believe. */
export function ed25519Seal(publicKeys: readonly KeyObject[], privateKey: KeyObject | null = null): StateSeal {
  return {
    make:
      privateKey === null
        ? null
        : (text) => `ed25519:${sign(null, Buffer.from(text, 'utf8'), privateKey).toString('base64')}`,
    holds: (text, seal) => {
      const given = /^ed25519:([A-Za-z0-9+/]{86}==)$/.exec(seal ?? '')?.[1];
      if (given === undefined) return false;
      return publicKeys.some((key) => isBy(key, text, Buffer.from(given, 'base64')));
    },
  };
}

function isBy(key: KeyObject, text: string, signature: Buffer): boolean {
  try {
    return verify(null, Buffer.from(text, 'utf8'), key, signature);
  } catch {
    return false;
  }
}

/** No seal: whoever can write to the folder can release. */
export const NO_SEAL: StateSeal = { make: () => 'none', holds: (_, seal) => seal === 'none' };
