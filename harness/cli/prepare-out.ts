import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { usage } from './usage.ts';

/**
 * Makes the folder that bundles go to, before anything is started.
 *
 * @throws KilldrillError `USAGE` when nothing can be written there.
 */
export function prepareOut(folder: string): void {
  try {
    makeWithParents(resolve(folder));
    if (!statSync(folder).isDirectory()) throw new Error('there is a file in its place');
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw usage(
      `--out is '${folder}', and no bundle can be written to ${resolve(folder)}: ${messageOf(error)}; name another folder with --out`,
    );
  }
}

/** Not by mkdir's own `recursive`, which never ends where the system says ENOENT below a folder that is there (/proc). */
function makeWithParents(folder: string): void {
  if (existsSync(folder)) return;
  makeWithParents(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another drill was faster
  }
}
