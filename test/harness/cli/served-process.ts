import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { vi } from 'vitest';
import { killdrillArgv } from '../../support/killdrill-argv.ts';

/** A real `killdrill serve`. */
export interface ServedProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it said on stderr so far. */
  said(): string;
  /** Resolves with its exit code, or the signal's name, once it has ended. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Resolves once it says where it serves. */
export async function startServe(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
  folder = process.cwd(),
): Promise<ServedProcess> {
  const args = [...killdrillArgv(), 'serve', '--port', '0', '--json', ...flags];
  const child = spawn(process.execPath, args, {
    ...{ env: { ...process.env, ...env }, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let isOver = false;
  void ended.then(() => (isOver = true));
  await vi.waitUntil(() => out.includes('\n') || isOver, { timeout: 60_000, interval: 20 });
  if (!out.includes('\n')) throw new Error(`killdrill serve ended before it served: ${err}`);
  const { url } = JSON.parse(out.slice(0, out.indexOf('\n'))) as { readonly url: string };
  return {
    ...{ url, child, said: () => err },
    end: async (signal) => {
      child.kill(signal);
      const [code, by] = await ended;
      return by ?? code;
    },
  };
}
