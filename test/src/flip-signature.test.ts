import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readFlipKeys, verifyFlip } from '../../src/flip-signature.ts';
import { signHead, verifyHead } from '../../src/head-signature.ts';
import { newKey, newKeys } from './flip-keys.ts';
import { releaseText, stopText } from './store/samples.ts';

const NAMESPACE = 'fleet';

function faultOf(text: string): string {
  try {
    readFlipKeys(text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'FLIP_KEYS_INVALID' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('the keys were accepted');
}

describe('a flip’s signature', () => {
  const { releaser, stopper, stranger, keys } = newKeys();
  const stop = stopText(NAMESPACE, { id: 'e1' });
  const release = releaseText(NAMESPACE, ['e1']);

  test('of a stop is that of anybody who may stop, or release', () => {
    expect(verifyFlip(keys, stop, stopper.sign(stop))).toBe(true);
    expect(verifyFlip(keys, stop, releaser.sign(stop))).toBe(true);
    expect(verifyFlip(keys, stop, stranger.sign(stop))).toBe(false);
  });

  test('of a release is that of somebody who may release, and not of one who may only stop', () => {
    expect(verifyFlip(keys, release, releaser.sign(release))).toBe(true);
    expect(verifyFlip(keys, release, stopper.sign(release))).toBe(false);
    expect(verifyFlip(keys, release, stranger.sign(release))).toBe(false);
  });

  test('is over exactly this text, and is there', () => {
    const signature = releaser.sign(release);
    expect(verifyFlip(keys, `${release} `, signature)).toBe(false);
    expect(verifyFlip(keys, release.replace('e1', 'e2'), signature)).toBe(false);
    expect(verifyFlip(keys, stop, signature)).toBe(false);
    for (const none of [null, '', 'junk', `${signature} `, signature.slice(0, -4)]) {
      expect(verifyFlip(keys, release, none)).toBe(false);
    }
    expect(verifyFlip(keys, 'no flip', signature)).toBe(false);
  });
});

describe('the public keys', () => {
  test('are several, in any layout, so that they can be turned', () => {
    const [one, other] = [newKey('stop'), newKey('stop+release')];
    expect(readFlipKeys(`\n ${one.text},\n${other.text} `).map(({ right }) => right)).toEqual(['stop', 'stop+release']);
  });

  test('are refused with the entry and what is wrong with it', () => {
    const { text, privateKey } = newKey('stop');
    const [, bare = ''] = text.split(':');
    const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' });
    expect(faultOf('')).toMatch(/there is none/);
    expect(faultOf(`${text},${bare}`)).toMatch(/entry 2 has no right before its key/);
    expect(faultOf(`release:${bare}`)).toMatch(/entry 1 has the right 'release', expected 'stop:KEY'/);
    expect(faultOf('stop:abc')).toMatch(/entry 1 holds no readable public key/);
    expect(faultOf(`stop:${ec.toString('base64')}`)).toMatch(/of type ec, expected ed25519/);
    expect(faultOf(`${text} ${text}`)).toMatch(/entry 2 names a key that an entry before it has/);
    expect(faultOf(String(privateKey.export({ format: 'pem', type: 'pkcs8' })))).toMatch(/a private key stands there/);
    for (const given of [`stop:${secret}`, secret]) {
      expect(faultOf(given)).toMatch(/holds a private key/);
      expect(faultOf(given)).not.toContain(secret);
    }
  });
});

describe('a head’s signature', () => {
  const { releaser, stopper, keys } = newKeys();
  const head = { epoch: 'one', revision: 7, hash: 'abc' };

  test('is that of somebody who may release, over this head of this namespace', () => {
    const signed = signHead(NAMESPACE, head, releaser.sign);
    expect(verifyHead(keys, NAMESPACE, signed)).toBe(true);
    expect(verifyHead(keys, 'other', signed)).toBe(false);
    for (const other of [{ epoch: 'two' }, { revision: 8 }, { hash: 'abd' }]) {
      expect(verifyHead(keys, NAMESPACE, { ...signed, ...other })).toBe(false);
    }
    expect(verifyHead(keys, NAMESPACE, signHead(NAMESPACE, head, stopper.sign))).toBe(false);
  });

  test('is none for a flip', () => {
    expect(verifyFlip(keys, releaseText(NAMESPACE, ['e1']), signHead(NAMESPACE, head, releaser.sign).signature)).toBe(
      false,
    );
  });
});
