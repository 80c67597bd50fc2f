import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { flipKeyText, readFlipKeys, signerOf } from '../../src/flip-signature.ts';
import type { FlipRight } from '../../src/flip-right.ts';
import type { FlipKeys } from '../../src/flip-signature.ts';

/** One who flips, as a test has them. */
export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly sign: (text: string) => string;
  /** As `KILLDRILL_PUBLIC_KEY` names it. */
  readonly text: string;
}

export function newKey(right: FlipRight): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey, sign: signerOf(privateKey), text: flipKeyText(right, publicKey) };
}

/** Somebody who may release, somebody who may only stop, and a stranger; agents know the first two. */
export interface TestKeys {
  readonly releaser: TestKey;
  readonly stopper: TestKey;
  readonly stranger: TestKey;
  readonly keys: FlipKeys;
}

export function newKeys(): TestKeys {
  const [releaser, stopper, stranger] = [newKey('stop+release'), newKey('stop'), newKey('stop+release')];
  return { releaser, stopper, stranger, keys: readFlipKeys(`${releaser.text}, ${stopper.text}`) };
}
