import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Readable by everybody: what agents are to obey holds no secret. */
const MODE = 0o644;

/**
 * Writes a file so that it is there whole or not at all, also after a crash: temporary file, fsync, rename, fsync of the
 * folder.
 *
 * @param unfinished name of the temporary file, which nobody else uses
 */
export function writeWhole(folder: string, name: string, text: string, unfinished: string): void {
  const temporary = join(folder, unfinished);
  try {
    writeSynced(temporary, text);
    renameSync(temporary, join(folder, name));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(folder);
}

export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeSynced(path: string, text: string): void {
  const descriptor = openSync(path, 'w', MODE);
  try {
    writeFileSync(descriptor, text, 'utf8');
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
