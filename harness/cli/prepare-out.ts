import { accessSync, constants, existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { makeNew } from '../bundle/make-new.ts';
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

/**
 * Makes what is above the new folder of `--into`, and shows that it can be made itself, before anything is started. It is not
 * left there.
 *
 * @throws KilldrillError `USAGE` when it is there already, or cannot be made.
 */
export function prepareInto(folder: string): void {
  const whole = resolve(folder);
  let isNew: boolean;
  try {
    makeWithParents(dirname(whole));
    isNew = makeNew(whole);
    if (isNew) rmdirSync(whole);
  } catch (error) {
    throw usage(
      `--into is '${folder}', and ${whole} cannot be made: ${messageOf(error)}; name another folder with --into`,
    );
  }
  if (!isNew)
    throw usage(`--into is '${folder}', which is there already, and nothing is overwritten; name a new folder`);
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
