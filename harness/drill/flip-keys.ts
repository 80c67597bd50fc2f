import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flipKeyText, signerOf } from '../../src/flip-signature.ts';

type Sign = (text: string) => string;

/** Who flips in one drill, and who would like to. */
export interface DrillFlipKeys {
  /** As fleets are told it: the operator's key, that of executors, which may only stop, and the control API's. */
  readonly publicKey: string;
  /** The operator's: stops, releases, heads. */
  readonly operator: Sign;
  /** Executors': stops. */
  readonly stopper: Sign;
  /** Of nobody that the fleet knows. */
  readonly stranger: Sign;
  /** Where executors find theirs. */
  readonly stopperFile: string;
  /** Where the control API finds its own: stops, releases. */
  readonly apiFile: string;
}

/** New ones for each drill; the file goes with the drill's folder. */
export function makeFlipKeys(folder: string, name: string): DrillFlipKeys {
  const [operator, stopper, stranger, api] = [
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('ed25519'),
  ];
  return {
    publicKey: [
      flipKeyText('stop+release', operator.publicKey),
      flipKeyText('stop', stopper.publicKey),
      flipKeyText('stop+release', api.publicKey),
    ].join(','),
    operator: signerOf(operator.privateKey),
    stopper: signerOf(stopper.privateKey),
    stranger: signerOf(stranger.privateKey),
    stopperFile: writeKey(join(folder, `stop-key-${name}.pem`), stopper.privateKey),
    apiFile: writeKey(join(folder, `api-key-${name}.pem`), api.privateKey),
  };
}

function writeKey(file: string, key: KeyObject): string {
  writeFileSync(file, key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' });
  return file;
}
