import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GATE_FILE, NO_GATE_FILE, readGateFile } from '../regression/gate-file.ts';
import type { GateFile } from '../regression/gate-file.ts';
import type { GateSubjects } from '../regression/gate-subject.ts';
import { REGRESSION_FILE } from '../regression/regression-file.ts';
import { usage } from './usage.ts';

/** What a gate is held to. */
export interface AskedGateFile {
  readonly file: GateFile;
  /** What somebody has to know about it, a sentence for stderr; null when it is all as it was asked for. */
  readonly said: string | null;
}

/**
 * The `gate.yaml` of what a gate was pointed at. Nobody has to demand anything; it is said, so that a lost file is not taken
 * for a demand that was met. Of one that lies beside a single kept run only the fleet is taken: the run is to meet the
 * fleet that it meets with the others, and coverage is asked of all of them.
 *
 * @param folder what the gate was pointed at
 * @throws KilldrillError `USAGE` for a profile of a single run; as `readGateFile` does
 */
export function gateFileFor(folder: string, { home }: Pick<GateSubjects, 'home'>, profile?: string): AskedGateFile {
  if (home === null) {
    if (profile === undefined) return fleetBeside(folder);
    throw usage(`--profile ${profile} is of a folder of kept runs with a ${GATE_FILE}, and a single run was named`);
  }
  const path = join(home, GATE_FILE);
  if (existsSync(path)) return { file: readGateFile(path), said: null };
  return { file: NO_GATE_FILE, said: `${path} is not there, so no coverage is demanded` };
}

function fleetBeside(folder: string): AskedGateFile {
  const path = join(folder, '..', GATE_FILE);
  if (!existsSync(join(folder, REGRESSION_FILE)) || !existsSync(path)) return { file: NO_GATE_FILE, said: null };
  const { fleet } = readGateFile(path);
  if (fleet === null) return { file: NO_GATE_FILE, said: null };
  return { file: { ...NO_GATE_FILE, fleet }, said: `the fleet is that of ${path}: ${JSON.stringify(fleet)}` };
}
