import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { killdrillArgv } from '../../support/killdrill-argv.ts';

const BOUND_MS = 60_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has printed so far. */
  readonly printed: { stdout: string; stderr: string };
}

/** The command, as an operator runs it; of this shell's own KILLDRILL variables it gets none. */
export function startCommand(args: readonly string[], variables: Readonly<Record<string, string>>): Started {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('KILLDRILL_'));
  const env = { ...Object.fromEntries(own), ...variables };
  const child = spawn(process.execPath, [...killdrillArgv(), ...args], { env, timeout: BOUND_MS });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...printed }));
  });
  return { child, ended, printed };
}
