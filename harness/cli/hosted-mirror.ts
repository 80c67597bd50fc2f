import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { messageOf } from '../../src/errors.ts';
import type { Lease } from '../../src/lease.ts';
import { StateMirror } from '../../src/propagation/state-mirror.ts';
import { ed25519Seal, hmacSeal } from '../../src/propagation/state-seal.ts';
import type { StateSeal } from '../../src/propagation/state-seal.ts';
import type { Registry } from '../../src/registry.ts';
import { usage } from './usage.ts';

/** A state file that is kept equal to the store. */
export interface HostedMirrorOptions {
  readonly path: string;
  readonly seal: StateSeal;
}

interface Host {
  readonly namespace: string;
  readonly registry: Registry;
  readonly lease: Lease;
  /** Signs what a hand has stopped; null for unsigned stops. */
  readonly sign: ((text: string) => string) | null;
  readonly onError: (error: Error) => void;
}

/** The mirror of one process, with that one's registry. */
export function openHostedMirror(options: HostedMirrorOptions, host: Host): StateMirror {
  return new StateMirror({ ...options, ...host, clock: systemClock, newToken: randomUUID });
}

/**
 * Reads what `--mirror-state-file` and `--mirror-key` were given.
 *
 * @throws KilldrillError `USAGE`, `HMAC_KEY_SHORT`
 */
export function mirrorWish(file: string | undefined, keyFile: string | undefined): HostedMirrorOptions | null {
  if (file === undefined && keyFile === undefined) return null;
  if (file === undefined || keyFile === undefined) {
    throw usage('--mirror-state-file and --mirror-key are needed both, or neither: the key seals the file');
  }
  const path = resolve(file);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (thrown) {
    throw usage(`--mirror-state-file ${file} cannot be written (${messageOf(thrown)}); is its folder there?`);
  }
  return { path, seal: sealIn(keyFile) };
}

/** A private key makes Ed25519 seals, which others only check; any other text is the key of an HMAC, the same for all. */
function sealIn(file: string): StateSeal {
  const text = textOf(file);
  if (!text.includes('-----BEGIN')) return hmacSeal(text.trim());
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === 'ed25519') return ed25519Seal([createPublicKey(key)], key);
  } catch {
    // What OpenSSL says of a key may not be repeated.
  }
  throw usage(`--mirror-key ${file} holds no Ed25519 private key in PEM; killdrill keys make makes one`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw usage(`--mirror-key ${file} cannot be read (${messageOf(cause)})`);
  }
}
