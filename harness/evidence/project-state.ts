import { execFile } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const WITHIN_MS = 5_000;
const MOST_BYTES = 1_000_000;

/** What was checked out in the folder that a drill was run from. */
export interface ProjectState {
  /** Null when it is not known. */
  readonly commit: string | null;
  /** Whether anything but the drill's own output differed from the commit; null when that is not known. */
  readonly dirty: boolean | null;
  /** Why the commit is not known, a sentence; null when it is. */
  readonly unknownBecause: string | null;
}

/**
 * Asks git, before anything is written. Whatever goes wrong is an answer: a drill needs no repository.
 *
 * @param out the folder of bundles, which makes nothing dirty
 */
export async function projectState(folder: string, out: string): Promise<ProjectState> {
  let commit: string;
  try {
    commit = (await git(folder, ['rev-parse', '--verify', 'HEAD'])).trim();
  } catch (error) {
    return { commit: null, dirty: null, unknownBecause: complaintOf(error) };
  }
  const inside = relative(folder, resolve(folder, out));
  const isInside = inside !== '' && !inside.startsWith('..');
  const but = isInside ? [`:(exclude,literal)${inside}`] : [];
  try {
    const changes = await git(folder, ['status', '--porcelain', '--', ':/', ...but]);
    return { commit, dirty: changes.trim() !== '', unknownBecause: null };
  } catch (error) {
    // More changes than are read are changes.
    const isMuch = (error as { code?: unknown }).code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';
    return { commit, dirty: isMuch ? true : null, unknownBecause: null };
  }
}

async function git(folder: string, words: readonly string[]): Promise<string> {
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };
  const { stdout } = await run('git', words, { cwd: folder, env, timeout: WITHIN_MS, maxBuffer: MOST_BYTES });
  return stdout;
}

/** In words of ours: those of git name paths. */
function complaintOf(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown };
  if (code === 'ENOENT') return 'git is not installed here';
  const said = typeof stderr === 'string' ? stderr : '';
  if (said.includes('not a git repository')) return 'the drill was not run from a git repository';
  if (said.includes('Needed a single revision')) return 'the repository has no commit yet';
  if (said.includes('dubious ownership')) return 'git refuses a repository of another owner (safe.directory)';
  return 'git did not answer';
}
