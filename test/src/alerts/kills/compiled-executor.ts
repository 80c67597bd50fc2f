import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PROJECT = join(import.meta.dirname, '../../../..');
const MAIN = 'test/src/alerts/kills/executor-main';
const COMPILE_MS = 90_000;

export interface CompiledExecutor {
  /** What node is to run. */
  readonly main: string;
  remove(): Promise<void>;
}

/** A process of the tests, by default the executor's, as it is now. Compiled into a folder of its own it starts a third as dear as through tsx. */
export async function compileExecutor(main = MAIN): Promise<CompiledExecutor> {
  const folder = await mkdtemp(join(tmpdir(), 'killdrill-executor-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    for (const name of ['node_modules', 'package.json']) await symlink(join(PROJECT, name), join(folder, name));
    const where = { rootDir: PROJECT, outDir: join(folder, 'dist') };
    const compilerOptions = { ...where, noEmit: false, noCheck: true, declaration: false, sourceMap: false };
    const project = {
      extends: join(PROJECT, 'tsconfig.json'),
      compilerOptions,
      include: [],
      files: [`${join(PROJECT, main)}.ts`],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
    const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-p', folder], { timeout: COMPILE_MS });
    return { main: join(folder, 'dist', `${main}.js`), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
