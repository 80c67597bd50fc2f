import { randomBytes } from 'node:crypto';
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { KilldrillError } from '../../src/errors.ts';

/** Names the drill that a process belongs to; every process of a drill is started with it, so that the guardian finds it. */
export const DRILL_FOLDER_VARIABLE = 'KILLDRILL_DRILL_FOLDER';

const NAME = /^kd-[0-9a-f]{32}$/;
/** Leaves room for the name and for what a drill puts in: a unix socket's path has at most 103 bytes on macOS. */
const LONGEST_PARENT = 50;

/**
 * Chooses the path of a new drill's folder, which does not exist yet: the guardian is started between choosing and
 * making. Its name has 128 random bits.
 *
 * @param parents folders to choose from, best first; default: the system's temporary folder, then `/tmp`.
 * @throws KilldrillError `NO_DRILL_FOLDER` when none of them exists, is short enough, and lets other users pass if the drill runs as root.
 */
export function chooseDrillFolder(parents: readonly string[] = [tmpdir(), '/tmp']): string {
  const refusals: string[] = [];
  for (const parent of parents) {
    const why = whyUnfit(parent);
    if (why === null) return join(realpathSync(parent), `kd-${randomBytes(16).toString('hex')}`);
    refusals.push(`${parent} ${why}`);
  }
  throw new KilldrillError(
    'NO_DRILL_FOLDER',
    `there is no place for a drill's folder: ${refusals.join('; ')}; set TMPDIR to a folder that will do`,
  );
}

/** Makes the folder at a chosen path: only its user lists it, but others (PostgreSQL's user) may pass through. */
export function makeDrillFolder(folder: string): void {
  assertDrillFolder(folder);
  const umask = process.umask(0);
  try {
    mkdirSync(folder, { mode: 0o711 });
  } finally {
    process.umask(umask);
  }
}

/**
 * The guardian removes what it is given, so nothing but a path of `chooseDrillFolder` may get there.
 *
 * @throws KilldrillError `NOT_A_DRILL_FOLDER`
 */
export function assertDrillFolder(folder: string): void {
  if (isAbsolute(folder) && NAME.test(basename(folder)) && join(folder) === folder) return;
  throw new KilldrillError(
    'NOT_A_DRILL_FOLDER',
    `'${folder}' is no drill's folder: expected an absolute path that ends in kd- and 32 hexadecimal digits`,
  );
}

function whyUnfit(parent: string): string | null {
  let path: string;
  try {
    path = realpathSync(parent);
  } catch {
    return 'does not exist';
  }
  if (Buffer.byteLength(path) > LONGEST_PARENT) return `is longer than ${LONGEST_PARENT} bytes`;
  return process.getuid?.() === 0 ? whyClosed(path) : null;
}

/** As root, PostgreSQL runs as another user, who has to pass through every folder above. */
function whyClosed(path: string): string | null {
  for (let above = path; ; above = dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return `cannot be passed by other users (mode of ${above})`;
    if (above === dirname(above)) return null;
  }
}
