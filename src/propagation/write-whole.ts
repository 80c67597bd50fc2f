import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../synced-file.ts';

/** Readable by everybody: what agents are to obey holds no secret. */
const MODE = 0o644;

/**
 * Writes a file so that it is there whole or not at all, also after a crash: temporary file, fsync, rename, fsync of the
 * folder. Only the rename is done in this tick: a disk that takes its time keeps nobody else waiting.
 *
 * @param unfinished name of the temporary file, which nobody else uses
 * @param mayRename asked in the very tick of the rename; if not, nothing is written
 * @returns whether it was written.
 */
export async function writeWhole(
  folder: string,
  name: string,
  text: string,
  unfinished: string,
  mayRename: () => boolean = () => true,
): Promise<boolean> {
  const temporary = join(folder, unfinished);
  try {
    await writeOnDisk(temporary, text);
    if (!mayRename()) {
      rmSync(temporary, { force: true });
      return false;
    }
    renameSync(temporary, join(folder, name));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
  return true;
}

/** The same in one tick. */
export function writeWholeNow(folder: string, name: string, text: string, unfinished: string): void {
  const temporary = join(folder, unfinished);
  try {
    const descriptor = openSync(temporary, 'w', MODE);
    try {
      writeFileSync(descriptor, text, 'utf8');
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, join(folder, name));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolderNow(folder);
}

export function syncFolderNow(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function writeOnDisk(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', MODE);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
}
