import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { statSync } from 'node:fs';
import { KilldrillError, messageOf } from './errors.ts';
import { readOrdinaryFile } from './ordinary-file.ts';

/** Others than the file's owner. */
const OTHERS = 0o077;
/** A key has some hundred bytes. */
const MAX_BYTES = 65_536;

/**
 * Reads a private key that flips are signed with: PEM (PKCS#8), in a file that nobody but its owner may read.
 *
 * @throws KilldrillError `SIGNING_KEY_UNREADABLE` naming the file, what is wrong and how to mend it; never what is in it.
 */
export function readSigningKey(file: string): KeyObject {
  let text: string;
  let mode: number;
  try {
    text = readOrdinaryFile(file, MAX_BYTES);
    ({ mode } = statSync(file));
  } catch (cause) {
    throw unreadable(file, `it cannot be read (${messageOf(cause)}); make one with 'killdrill keys make'`);
  }
  if ((mode & OTHERS) !== 0) {
    const found = (mode & 0o777).toString(8);
    throw unreadable(file, `its mode is ${found}, so that others may use it; expected 600, 'chmod 600' mends it`);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    // The cause is left out: it may repeat what is in the file.
    throw unreadable(file, "it holds no private key; expected PEM, as 'killdrill keys make' writes it");
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw unreadable(file, `its key is of type ${String(key.asymmetricKeyType)}, expected ed25519`);
}

function unreadable(file: string, what: string): KilldrillError {
  return new KilldrillError('SIGNING_KEY_UNREADABLE', `the signing key ${file} is refused: ${what}`);
}
