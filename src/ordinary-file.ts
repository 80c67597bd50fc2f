import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/**
 * Opens a file to read it, and never waits: opening a pipe that nobody writes to would wait for ever.
 *
 * @throws what opening throws; Error when it is no ordinary file
 */
export function openOrdinaryFile(path: string): number {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(descriptor).isFile()) throw new Error('it is no ordinary file');
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * The text of a file that somebody named, which may be anything: a pipe or a device that never ends keeps nobody waiting.
 *
 * @throws what opening or reading throws; Error when it is no ordinary file, or longer than `maxBytes`
 */
export function readOrdinaryFile(path: string, maxBytes: number): string {
  const descriptor = openOrdinaryFile(path);
  try {
    const { size } = fstatSync(descriptor);
    if (size > maxBytes) throw new Error(`it has ${size} bytes; expected at most ${maxBytes}`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}
