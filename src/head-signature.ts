import { isSignedBy } from './ed25519.ts';
import type { FlipKeys } from './flip-signature.ts';
import type { Head, SignedHead } from './store/store.ts';

/** What is signed of a head. No flip has this form, so neither signature can be shown for the other. */
export function headText(namespace: string, { epoch, revision, hash }: Head): string {
  return JSON.stringify({ namespace, kind: 'head', epoch, revision, hash });
}

/** Signs where the chain ends, with what signs flips. */
export function signHead(namespace: string, head: Head, sign: (text: string) => string): SignedHead {
  const { epoch, revision, hash } = head;
  return { epoch, revision, hash, signature: sign(headText(namespace, head)) };
}

/** Whether somebody who may release has signed this head, of this namespace. A key that may only stop vouches for no release. */
export function verifyHead(keys: FlipKeys, namespace: string, head: SignedHead): boolean {
  const bytes = Buffer.from(headText(namespace, head), 'utf8');
  return keys.some(({ right, publicKey }) => right === 'stop+release' && isSignedBy(bytes, head.signature, publicKey));
}
