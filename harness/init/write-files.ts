import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { refusedInit } from './init-error.ts';
import type { PlannedFile } from './plan-files.ts';

/** A file, and whether something is in its place: that is left as it is. */
export interface PlacedFile extends PlannedFile {
  readonly isThere: boolean;
}

/**
 * Looks, before anything is written, whether everything can be.
 *
 * @throws KilldrillError `USAGE` naming the first path that cannot be written, and why
 */
export function placeFiles(folder: string, files: readonly PlannedFile[]): readonly PlacedFile[] {
  return files.map((file) => {
    const path = join(folder, file.path);
    let facts;
    try {
      facts = lstatSync(path, { throwIfNoEntry: false });
    } catch (cause) {
      throw cannot(path, messageOf(cause), cause); // a file where a folder has to be
    }
    if (facts?.isDirectory() === true) throw cannot(path, 'a folder is in its place');
    if (facts === undefined) refuseUnwritable(path);
    return { ...file, isThere: facts !== undefined };
  });
}

function refuseUnwritable(path: string): void {
  let above = dirname(path);
  while (!existsSync(above) && dirname(above) !== above) above = dirname(above);
  if (!statSync(above).isDirectory()) throw cannot(path, `${above} is no folder`);
  try {
    accessSync(above, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw cannot(path, messageOf(cause), cause);
  }
}

/**
 * Writes those that are not there, all or none; never over anything, nor through a link.
 *
 * @throws KilldrillError `USAGE` when one cannot be written, and then what was written is gone again
 */
export function writeFiles(folder: string, files: readonly PlacedFile[]): void {
  const undo: (() => void)[] = [];
  for (const { path: name, text } of files.filter(({ isThere }) => !isThere)) {
    const path = join(folder, name);
    try {
      makeFolders(dirname(path), undo);
      writeFileSync(path, '', { flag: 'wx' });
      undo.push(() => rmSync(path, { force: true }));
      writeFileSync(path, text);
    } catch (cause) {
      for (const step of undo.toReversed()) step();
      throw cannot(path, messageOf(cause), cause);
    }
  }
}

function makeFolders(folder: string, undo: (() => void)[]): void {
  if (existsSync(folder)) return;
  makeFolders(dirname(folder), undo);
  mkdirSync(folder);
  undo.push(() => {
    try {
      rmdirSync(folder);
    } catch {
      // somebody has put something into it meanwhile: that is theirs
    }
  });
}

function cannot(path: string, why: string, cause?: unknown): Error {
  return refusedInit(`${path} cannot be written: ${why}; make room for it, or name another folder`, cause);
}
