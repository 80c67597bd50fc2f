import { accessSync, constants, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { usage } from './usage.ts';

/**
 * Makes the folder that bundles go to, before anything is started.
 *
 * @throws KilldrillError `USAGE` when nothing can be written there.
 */
export function prepareOut(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw usage(
      `--out is '${folder}', and no bundle can be written to ${resolve(folder)}: ${messageOf(error)}; name another folder with --out`,
    );
  }
}
