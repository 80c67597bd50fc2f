import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chooseDrillFolder } from '../../harness/environment/drill-folder.ts';

const MAIN = fileURLToPath(new URL('../harness/environment/guarded-environment.ts', import.meta.url));

/** A harness in a process of its own, with an environment that is up. */
export interface OtherHarness {
  readonly folder: string;
  /** SIGKILL: it gets to undo nothing. */
  kill(): Promise<void>;
}

/** @param variables of its environment, beside our own */
export async function startOtherHarness(
  environment: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<OtherHarness> {
  const folder = chooseDrillFolder();
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = spawn(process.execPath, ['--import', tsx, MAIN, environment, folder], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const up = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', () => resolve());
    child.once('exit', () => reject(new Error(`the other harness has ended: ${said}`)));
  });
  await up;
  return {
    folder,
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
