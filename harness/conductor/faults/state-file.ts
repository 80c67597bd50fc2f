import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { KilldrillError } from '../../../src/errors.ts';
import { waitUntil } from '../../environment/wait.ts';
import type { FileFaultKind } from '../../history/event.ts';
import type { Fault, FaultGround } from '../fault.ts';

const SEEN_BOUND_MS = 2_000;
const LOOK_MS = 2;

/**
 * Half of the state file, or nothing of it, is left. Observed when every living worker has said that it sees so; it recovers
 * by what was there before.
 */
export function damageStateFile(kind: FileFaultKind): Fault {
  let before: string | null = null;
  return {
    endsWhatItHits: false,
    async inject(ground, observed) {
      const path = pathOf(ground);
      before = readFileSync(path, 'utf8');
      if (kind === 'remove') rmSync(path);
      else writeFileSync(path, before.slice(0, Math.floor(before.length / 2)));
      if (await allSay(kind === 'remove' ? 'missing' : 'torn', ground)) observed();
    },
    async recover(ground) {
      const path = pathOf(ground);
      if (before === null) return;
      writeFileSync(`${path}.back`, before);
      renameSync(`${path}.back`, path);
      await allSay(null, ground);
    },
  };
}

/** The scenario has a fault on it, so that the drill has one. */
function pathOf({ stateFile }: FaultGround): string {
  if (stateFile !== null) return stateFile;
  throw new KilldrillError('STATE_FILE_MISSING', 'there is no state file to hit: no entry of this drill made one');
}

function allSay(refusal: string | null, { fleet, signal }: FaultGround): Promise<boolean> {
  const say = (): boolean =>
    fleet.processes().every((one) => one.hasExited || (one.hasStateFile && one.stateFileRefusal === refusal));
  return waitUntil(say, { boundMs: SEEN_BOUND_MS, everyMs: LOOK_MS, signal });
}
