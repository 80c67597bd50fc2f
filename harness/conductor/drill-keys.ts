import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { STOP_MODES } from '../../src/switch.ts';
import type { Scope } from '../../src/switch.ts';

/** The detector whose key may ask for everything. */
export const DRILL_DETECTOR = 'drill';
/** The detector that may ask for one run only, with the same key. */
export const NARROW_DETECTOR = 'drill-narrow';

/** The detectors in the fleet's own processes, which have a key of their own. */
export const FLEET_DETECTOR = 'fleet';

/** What one drill's detectors sign with. */
export interface DrillKeys {
  readonly privateKey: KeyObject;
  /** Of the detectors in the fleet's own processes: base64 of its PKCS #8; null for a fleet without any. */
  readonly fleetKey: string | null;
  /** For executors, as `readDetectorKeys` reads it. */
  readonly list: readonly {
    readonly detector: string;
    readonly publicKey: string;
    readonly widestScope: string;
    readonly strictestMode: string;
  }[];
}

/**
 * New ones for each drill.
 *
 * @param detects of what the fleet's own detectors may ask for a stop, at the widest; null for a fleet without any
 */
export function makeDrillKeys(detects: Scope | null = null): DrillKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const fleet = detects === null ? null : generateKeyPairSync('ed25519');
  const strictestMode = STOP_MODES.at(-1) ?? 'halt_all';
  return {
    privateKey,
    fleetKey: fleet === null ? null : fleet.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    list: [
      { detector: DRILL_DETECTOR, publicKey: spki, widestScope: 'global', strictestMode },
      { detector: NARROW_DETECTOR, publicKey: spki, widestScope: 'run', strictestMode },
      ...(fleet === null || detects === null ? [] : [fleetEntry(fleet.publicKey, detects)]),
    ],
  };
}

function fleetEntry(publicKey: KeyObject, widestScope: Scope): DrillKeys['list'][number] {
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  return { detector: FLEET_DETECTOR, publicKey: spki, widestScope, strictestMode: 'halt_all' };
}
