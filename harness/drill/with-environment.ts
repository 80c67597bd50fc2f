import { chooseDrillFolder, makeDrillFolder } from '../environment/drill-folder.ts';
import { startEmbedded } from '../environment/embedded.ts';
import type { Environment } from '../environment/environment.ts';
import { startGuardian } from '../environment/guardian.ts';
import { Brackets } from './brackets.ts';

export interface Ground {
  readonly environment: Environment;
  /** The temporary folder of everything that runs here. */
  readonly folder: string;
  /** Registers a process with the guardian. */
  readonly watch: (pid: number) => void;
}

/**
 * Brings an environment up, uses it, and takes it down again: guardian first, guardian last.
 *
 * @throws KilldrillError when the environment cannot be had; whatever `use` throws.
 */
export async function withEnvironment<T>(signal: AbortSignal, use: (ground: Ground) => Promise<T>): Promise<T> {
  const brackets = new Brackets();
  const folder = chooseDrillFolder();
  try {
    const guardian = await startGuardian({ folder });
    brackets.add(async () => void (await guardian.done()));
    signal.throwIfAborted();
    makeDrillFolder(folder);
    const environment = await startEmbedded({ folder, guardian });
    brackets.add(() => environment.close());
    signal.throwIfAborted();
    return await use({ environment, folder, watch: (pid) => guardian.watch(pid) });
  } finally {
    await brackets.close();
  }
}
