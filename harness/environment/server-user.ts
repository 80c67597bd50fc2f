import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KilldrillError, messageOf } from '../../src/errors.ts';

/** The user that servers run as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);

/**
 * PostgreSQL refuses to run as root: then the user is `nobody`, who is there already (a user made for the drill would
 * stay behind). Null means the user who runs the drill.
 *
 * @throws KilldrillError `NO_SERVER_USER` when the drill runs as root and there is no `nobody`.
 */
export async function findServerUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => lookUp(what)));
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  } catch (cause) {
    throw noServerUser(messageOf(cause), cause);
  }
  throw noServerUser('id printed nothing', null);
}

async function lookUp(what: string): Promise<number> {
  const { stdout } = await run('id', [what, 'nobody'], { timeout: 10_000 });
  const id = Number(stdout.trim());
  if (!Number.isInteger(id) || id <= 0) throw new Error(`id ${what} nobody printed '${stdout.trim()}'`);
  return id;
}

function noServerUser(found: string, cause: unknown): KilldrillError {
  const message = `the drill runs as root and PostgreSQL needs the user nobody, which was not found (${found}); run the drill as a normal user`;
  return new KilldrillError('NO_SERVER_USER', message, { cause });
}
