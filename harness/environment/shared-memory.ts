import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Removes the System V shared memory that a killed PostgreSQL server in the folder has left. It is a few bytes that
 * guard the data directory; nothing else would remove it before the machine restarts. A segment that is in use is left
 * alone. Does what it can: without `ipcrm` the segment stays.
 */
export async function removeSharedMemory(folder: string): Promise<void> {
  try {
    // the sixth line of postmaster.pid is '<key> <id>' of the segment
    const lockFile = await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8');
    const [, key, id] = /^\s*(\d+)\s+(\d+)\s*$/m.exec(lockFile.split('\n').slice(5, 7).join('\n')) ?? [];
    if (key === undefined || id === undefined || !(await isUnused(key, id))) return;
    await promisify(execFile)('ipcrm', ['-m', id], { timeout: 1_000 });
  } catch {
    // no lock file: the server has ended in an orderly way
  }
}

/** An id alone may be another's by now; columns of /proc/sysvipc/shm: key, shmid, perms, size, cpid, lpid, nattch. */
async function isUnused(key: string, id: string): Promise<boolean> {
  const rows = (await readFile('/proc/sysvipc/shm', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
  return rows.some((row) => Number(row[0]) >>> 0 === Number(key) >>> 0 && row[1] === id && row[6] === '0');
}
