import { mkdirSync } from 'node:fs';

/** Makes a folder, whose parent is there. False where something has that name already; other errors are thrown as they come. */
export function makeNew(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
