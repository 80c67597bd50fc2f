import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PROJECT = join(import.meta.dirname, '../../..');
const COMPILE_MS = 60_000;

export interface CompiledFleet {
  /** Arguments of node that start a worker. */
  readonly command: readonly string[];
  remove(): Promise<void>;
}

/** The simulated fleet as it is now, compiled into a folder of its own: hundreds of processes start a third as dear as through tsx. */
export async function compileFleet(): Promise<CompiledFleet> {
  const folder = await mkdtemp(join(tmpdir(), 'killdrill-fleet-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    for (const name of ['node_modules', 'package.json', 'src']) await symlink(join(PROJECT, name), join(folder, name));
    const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc');
    const options = ['--noCheck', '--declaration', 'false', '--sourceMap', 'false', '--outDir', join(folder, 'dist')];
    const args = [tsc, '-p', join(PROJECT, 'tsconfig.build.json'), ...options];
    await promisify(execFile)(process.execPath, args, { timeout: COMPILE_MS });
    return { command: [join(folder, 'dist/fleet-sim/main.js')], remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
