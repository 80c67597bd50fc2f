import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { KilldrillError, messageOf } from '../../../src/errors.ts';
import { FLIP_RIGHTS } from '../../../src/flip-right.ts';
import type { FlipRight } from '../../../src/flip-right.ts';
import { flipKeyText } from '../../../src/flip-signature.ts';
import { readSigningKey } from '../../../src/signing-key.ts';
import { EXIT } from '../exit.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';

export interface KeysFlags {
  readonly right: string;
  readonly json?: boolean;
}

/** `killdrill keys make`: a new private key in a file of its own, which is never overwritten; prints the public one. */
export function makeKey(file: string, flags: KeysFlags): number {
  const right = rightIn(flags);
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' });
  } catch (thrown) {
    const isThere = (thrown as NodeJS.ErrnoException).code === 'EEXIST';
    // A part of a key is no key, and would be in the way of the next try.
    if ((thrown as NodeJS.ErrnoException).syscall !== 'open') rmSync(file, { force: true });
    const what = isThere ? 'it is there already, and a key is never overwritten; name another file' : messageOf(thrown);
    throw new KilldrillError('KEY_NOT_MADE', `no key was made in ${file}: ${what}`);
  }
  note(`the private key is in ${file}; whoever holds it may ${right === 'stop' ? 'stop' : 'stop and release'}`);
  return show(right, privateKey, flags.json === true);
}

/** `killdrill keys show`: the public key of a private one, in the form that agents are told it. */
export function showKey(file: string, flags: KeysFlags): number {
  return show(rightIn(flags), readSigningKey(file), flags.json === true);
}

function rightIn({ right }: KeysFlags): FlipRight {
  const found = FLIP_RIGHTS.find((known) => known === right);
  if (found === undefined) throw usage(`--right is '${right}'; expected one of ${FLIP_RIGHTS.join(', ')}`);
  return found;
}

function show(right: FlipRight, privateKey: KeyObject, json: boolean): number {
  const publicKey = flipKeyText(right, createPublicKey(privateKey));
  data(json ? JSON.stringify({ right, publicKey }) : publicKey);
  return EXIT.pass;
}
