import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { STOP_MODES } from '../../src/switch.ts';

/** The detector whose key may ask for everything. */
export const DRILL_DETECTOR = 'drill';
/** The detector that may ask for one run only, with the same key. */
export const NARROW_DETECTOR = 'drill-narrow';

/** What one drill's detectors sign with. */
export interface DrillKeys {
  readonly privateKey: KeyObject;
  /** For executors, as `readDetectorKeys` reads it. */
  readonly list: readonly {
    readonly detector: string;
    readonly publicKey: string;
    readonly widestScope: string;
    readonly strictestMode: string;
  }[];
}

/** New ones for each drill. */
export function makeDrillKeys(): DrillKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const strictestMode = STOP_MODES.at(-1) ?? 'halt_all';
  return {
    privateKey,
    list: [
      { detector: DRILL_DETECTOR, publicKey: spki, widestScope: 'global', strictestMode },
      { detector: NARROW_DETECTOR, publicKey: spki, widestScope: 'run', strictestMode },
    ],
  };
}
