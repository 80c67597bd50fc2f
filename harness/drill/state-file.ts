import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KillSwitch } from '../../src/killswitch.ts';
import { ed25519Seal } from '../../src/propagation/state-seal.ts';
import { thingNamed } from '../scenario/crew.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** The state file of one drill. */
export interface DrillStateFile {
  readonly path: string;
  /** PEM of the key that its seal is checked with; whoever has sealed it has thrown the other away. */
  readonly publicKey: string;
}

/** Makes the state file that a fleet is to watch, with nothing stopped in it; null where no entry needs one. */
export function makeStateFile({ timeline }: Scenario, folder: string, namespace: string): DrillStateFile | null {
  const isNeeded = timeline.some((entry) => {
    if (entry.kind === 'flip') return entry.via === 'file';
    return entry.kind === 'fault' && thingNamed(entry.target)?.thing === 'state-file';
  });
  if (!isNeeded) return null;
  const own = join(folder, `state-${namespace}`);
  mkdirSync(own, { recursive: true });
  const path = join(own, 'state.json');
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  new KillSwitch({ path, namespace, seal: ed25519Seal([publicKey], privateKey) }).create();
  return { path, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}
