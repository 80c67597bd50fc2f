import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519Seal, KillSwitch } from '../src/index.ts';
import { endChild, forkBench, heard } from './listeners.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

export interface FileBench {
  /** Milliseconds from before an edit by hand to the last process that enforces it. */
  readonly byHand: Summary;
  /** The same for a stop that a program puts beside the file, fsync included. */
  readonly byProgram: Summary;
}

/** Edits a state file by hand, and stops by its facade: how long until the last of several processes enforces it. */
export async function benchFile(options: { readonly processes: number; readonly rounds: number }): Promise<FileBench> {
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-bench-'));
  const path = join(folder, 'state.json');
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const operator = new KillSwitch({ path, namespace: 'bench', seal: ed25519Seal([publicKey], privateKey) });
  operator.create();
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const listeners = Array.from({ length: options.processes }, () =>
    forkBench(new URL('./file-listener.ts', import.meta.url), [path, pem]),
  );
  const reachesAll = async (act: () => unknown): Promise<number> => {
    const all = Promise.all(listeners.map((child) => heard(child, ({ id }) => id !== undefined)));
    const from = process.hrtime.bigint();
    await act();
    return Math.max(...(await all).map(({ at }) => Number(BigInt(at ?? '0') - from) / 1e6));
  };
  try {
    await Promise.all(listeners.map((child) => heard(child, ({ ready }) => ready === true)));
    const byHand: number[] = [];
    const byProgram: number[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      byHand.push(await reachesAll(() => raise(path)));
      await operator.disengage('the next round');
      byProgram.push(await reachesAll(() => operator.engage('a round')));
      await operator.disengage('the next round');
    }
    return { byHand: summarise(byHand), byProgram: summarise(byProgram) };
  } finally {
    await Promise.all(listeners.map(endChild));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In place, as an editor does that knows nothing of whole files. */
function raise(path: string): void {
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('"global:*": "disengaged"', '"global:*": "halt_all"'));
}
