import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { signAlert } from '../../../src/alerts/alert-signature.ts';
import { isWithin, readDetectorKeys } from '../../../src/alerts/detector-keys.ts';
import { isSignedBy } from '../../../src/ed25519.ts';
import { newDetector } from './samples.ts';

function faultOf(list: unknown): string {
  try {
    readDetectorKeys(list);
  } catch (error) {
    expect(error).toMatchObject({ code: 'DETECTOR_KEYS_INVALID' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('the list was accepted');
}

describe('the detector keys', () => {
  const { entry, privateKey } = newDetector();

  test('are read from PEM and from DER alike', () => {
    const der = entry.publicKey
      .split('\n')
      .filter((line) => !line.startsWith('-----'))
      .join('');
    const keys = [readDetectorKeys([entry]), readDetectorKeys([{ ...entry, publicKey: der }])];
    const bytes = Buffer.from('x');
    for (const read of keys) {
      const key = read.get('write-rate')?.[0]?.publicKey;
      expect(key !== undefined && isSignedBy(bytes, signAlert(bytes, privateKey), key)).toBe(true);
    }
  });

  test('may be several of one detector, while they are exchanged', () => {
    expect(readDetectorKeys([entry, newDetector().entry]).get('write-rate')).toHaveLength(2);
  });

  test('have a reach, wide or narrow', () => {
    const reach = { widestScope: 'feature', strictestMode: 'halt_all' } as const;
    expect(isWithin(reach, { scope: 'feature', mode: 'halt_all' })).toBe(true);
    expect(isWithin(reach, { scope: 'run', mode: 'halt_noncritical' })).toBe(true);
    expect(isWithin(reach, { scope: 'tenant', mode: 'halt_all' })).toBe(false);
    expect(isWithin(reach, { scope: 'run', mode: 'emergency' })).toBe(false);
  });

  test('are refused with the entry and what is wrong with it', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'pem', type: 'spki' });
    const secret = privateKey.export({ format: 'pem', type: 'pkcs8' });
    expect(faultOf({})).toMatch(/the list is wrong/);
    expect(faultOf([entry, { ...entry, widestScope: 'world' }])).toMatch(/entry 2's widestScope is wrong/);
    expect(faultOf([{ ...entry, maximumScope: 'run' }])).toMatch(/entry 1 is wrong: .*maximumScope/);
    expect(faultOf([{ ...entry, detector: 'unsigned:x' }])).toMatch(/entry 1's detector is wrong/);
    expect(faultOf([{ ...entry, publicKey: 'abc' }])).toMatch(/entry 1 \('write-rate'\) holds no readable public key/);
    expect(faultOf([{ ...entry, publicKey: rsa }])).toMatch(/of type rsa, expected ed25519/);
    expect(faultOf([{ ...entry, publicKey: secret }])).toMatch(/holds a private key, expected the public one/);
    expect(faultOf([entry, entry])).toMatch(/entry 2 gives 'write-rate' a key that it has already/);
  });
});
