import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { RECORD_FILES } from '../bundle/drill-record.ts';
import { makeNew } from '../bundle/make-new.ts';
import { writeWhole } from '../bundle/manifest.ts';
import { writeTrace } from '../traffic/trace-file.ts';
import type { SmallDrill } from './find-smallest.ts';

const MAX_SAME_NAME = 1_000;

/**
 * Makes the folder that the smallest drill goes to; `<folder>-2`, `-3` and so on if it may have another name and that is taken.
 *
 * @throws KilldrillError `USAGE` when it is there already, or cannot be made
 */
export function makeSmallestFolder(folder: string, mayBeAnother: boolean): string {
  try {
    mkdirSync(dirname(folder), { recursive: true });
    for (let nth = 1; nth <= (mayBeAnother ? MAX_SAME_NAME : 1); nth += 1) {
      const name = nth === 1 ? folder : `${folder}-${nth}`;
      if (makeNew(name)) return name;
    }
  } catch (cause) {
    throw new KilldrillError('USAGE', `${folder} cannot be made: ${messageOf(cause)}; name another with --into`, {
      cause,
    });
  }
  throw new KilldrillError('USAGE', `${folder} is there already, and nothing is overwritten; name another with --into`);
}

/**
 * Writes a drill's scenario and its trace beside it.
 *
 * @returns the scenario's path
 */
export async function writeSmallest(folder: string, { plan, yaml }: SmallDrill): Promise<string> {
  await writeTrace(join(folder, RECORD_FILES.trace), plan.trace);
  await writeWhole(folder, RECORD_FILES.scenario, yaml); // last: without it nothing names the trace
  return join(folder, RECORD_FILES.scenario);
}
