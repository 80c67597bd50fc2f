import { open } from 'node:fs/promises';

/**
 * Writes a file that only its owner may read, and resolves once it is on disk. Whoever wants it whole or not at all renames it
 * afterwards, and then syncs the folder.
 *
 * @param flags `wx` refuses a file that is there; `w` takes its place
 */
export async function writeSynced(path: string, text: string, flags: 'w' | 'wx'): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Resolves once what was renamed into, or removed from, the folder stays so after a crash. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
