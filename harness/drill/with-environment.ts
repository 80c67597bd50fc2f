import { chooseDrillFolder, makeDrillFolder } from '../environment/drill-folder.ts';
import { startEnvironment } from '../environment/choose.ts';
import type { EnvironmentChoice } from '../environment/choose.ts';
import type { Environment } from '../environment/environment.ts';
import { startGuardian } from '../environment/guardian.ts';
import type { Guardian } from '../environment/guardian.ts';
import { inBrackets } from './brackets.ts';

export interface Ground {
  readonly environment: Environment;
  /** The temporary folder of everything that runs here. */
  readonly folder: string;
  /** Registers a process with the guardian. */
  readonly watch: (pid: number) => void;
}

/** How long the orderly undo may take once the signal fired; whatever is left then is the guardian's. */
const ORDERLY_MS = 3_000;

/**
 * Brings an environment up, uses it, and takes it down again: guardian first, guardian last. Once the signal has fired it
 * is over within 5 s, also when something hangs.
 *
 * @throws KilldrillError when the environment cannot be had; whatever `use` throws; the signal's reason.
 */
export async function withEnvironment<T>(
  choice: EnvironmentChoice,
  signal: AbortSignal,
  use: (ground: Ground) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const folder = chooseDrillFolder();
  const guardian = await startGuardian({ folder });
  const over = new AbortController();
  try {
    return await Promise.race([
      withGuardian({ choice, folder, guardian }, signal, use),
      overdue(signal, guardian, over.signal),
    ]);
  } finally {
    over.abort();
  }
}

function withGuardian<T>(
  {
    choice,
    folder,
    guardian,
  }: { readonly choice: EnvironmentChoice; readonly folder: string; readonly guardian: Guardian },
  signal: AbortSignal,
  use: (ground: Ground) => Promise<T>,
): Promise<T> {
  return inBrackets(async (brackets) => {
    brackets.add(async () => void (await guardian.done()));
    signal.throwIfAborted();
    makeDrillFolder(folder);
    const environment = await startEnvironment(choice, { folder, guardian }, signal);
    brackets.add(() => environment.close());
    signal.throwIfAborted();
    return await use({ environment, folder, watch: (pid) => guardian.watch(pid) });
  });
}

/** Rejects with the signal's reason once the orderly undo has had its time and the guardian has ended the rest. */
function overdue(signal: AbortSignal, guardian: Guardian, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const begin = (): void => {
      const timer = setTimeout(() => void guardian.done().finally(() => reject(signal.reason as Error)), ORDERLY_MS);
      over.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true });
  });
}
