import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a listener says. */
export interface Said {
  readonly ready?: true;
  /** A stop that it enforces now. */
  readonly id?: string;
  /** A stop that an executor enforces in its own process before the store has answered, and one that the store answered. */
  readonly held?: string;
  readonly answered?: string;
  /** Whether its registry may be trusted, each time that changes. */
  readonly verified?: boolean;
  /** `process.hrtime.bigint()` of that, decimal; comparable between the processes of one Linux host. */
  readonly at?: string;
}

const HEAR_MS = 20_000;

/** Starts processes with a runtime each, uses them, and ends them. */
export async function withListeners<T>(
  options: { readonly url: string; readonly namespace: string; readonly processes: number },
  use: (listeners: readonly ChildProcess[]) => Promise<T>,
): Promise<T> {
  const { url, namespace, processes } = options;
  const listeners = Array.from({ length: processes }, (_, at) =>
    forkBench(new URL('./listener.ts', import.meta.url), [url, namespace, `listener-${at}`]),
  );
  try {
    await Promise.all(listeners.map((child) => heard(child, ({ ready }) => ready === true)));
    return await use(listeners);
  } finally {
    await Promise.all(listeners.map(endChild));
  }
}

/** The next thing of this kind that a listener says. */
export function heard(child: ChildProcess, wanted: (said: Said) => boolean): Promise<Said> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      child.off('message', on);
    };
    const on = (said: unknown): void => {
      if (!wanted(said as Said)) return;
      done();
      resolve(said as Said);
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error(`a listener did not say what was expected within ${HEAR_MS} ms`));
    }, HEAR_MS);
    child.on('message', on);
  });
}

/** A process of the bench's. */
export function forkBench(file: URL, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(file), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--import', 'tsx'],
  });
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
