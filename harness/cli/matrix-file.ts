import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { usage } from './usage.ts';

/** The file that a kill matrix goes to. */
export interface MatrixFile {
  /** What was in it; null when it was not there. */
  readonly before: string | null;
  readonly write: (page: string) => void;
}

/**
 * Finds out, before anything is started, whether the matrix can be written there at the end.
 *
 * @throws KilldrillError `USAGE` when it can't.
 */
export function openMatrixFile(file: string): MatrixFile {
  try {
    const isThere = existsSync(file);
    if (isThere && !statSync(file).isFile()) throw new Error('it is no file');
    accessSync(isThere ? file : dirname(resolve(file)), constants.W_OK);
    const before = isThere ? readFileSync(file, 'utf8') : null;
    return { before, write: (page) => writeFileSync(file, page) };
  } catch (error) {
    throw usage(
      `--matrix is '${file}', and nothing can be written there: ${messageOf(error)}; name a file in a folder that is there`,
    );
  }
}
