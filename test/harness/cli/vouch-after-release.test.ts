import { describe, expect, it } from 'vitest';
import { vouchAfterRelease } from '../../../harness/cli/vouch-after-release.ts';
import type { SignedHead } from '../../../src/store/flip-record.ts';
import type { AuditStore } from '../../../src/store/audit-port.ts';
import { newKeys } from '../../src/flip-keys.ts';
import { releaseText, stopText } from '../../src/store/samples.ts';

const NAMESPACE = 'payments';
const { releaser, keys } = newKeys();
const head = { epoch: 'e', revision: 2, hash: 'h' };
const nobody = (): never => {
  throw new Error('nobody asks for this');
};

/** A store with one stop and its release, which this may have signed. */
async function told(signature: (text: string) => string | null, isAway = false) {
  const [stop, release] = [stopText(NAMESPACE, { id: 'one' }), releaseText(NAMESPACE, ['one'])];
  const closed = [{ ...head, revision: 1, text: stop, signature: null }];
  const releases = [{ ...head, text: release, signature: signature(release), closed }];
  const signed: SignedHead[] = [];
  const store: AuditStore = {
    ...{ page: nobody, signedHeads: nobody, openIds: nobody },
    proof: () =>
      isAway
        ? Promise.reject(new Error('the store is away'))
        : Promise.resolve({ head, open: [], ageMs: 1_000_000, critical: [], released: { since: null, releases } }),
    signHead: async (one) => void signed.push(one),
  };
  const sentences: string[] = [];
  await vouchAfterRelease({ store, namespace: NAMESPACE, keys, sign: releaser.sign }, (one) => sentences.push(one));
  return { signed: signed.length, sentences };
}

describe('a release by somebody with a key', () => {
  it('has the head signed, and nothing to tell', async () => {
    expect(await told(releaser.sign)).toEqual({ signed: 1, sentences: [] });
  });

  it('tells whose stop no proven release has closed, and signs nothing', async () => {
    const sentences = ['the head was not signed: no proven release has closed one'];
    expect(await told(() => null)).toEqual({ signed: 0, sentences });
  });

  it('stays done while the store is away', async () => {
    const sentences = ['the head was not signed: the store is away'];
    expect(await told(releaser.sign, true)).toEqual({ signed: 0, sentences });
  });
});
