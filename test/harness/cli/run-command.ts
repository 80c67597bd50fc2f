import { execFile } from 'node:child_process';
import { killdrillArgv } from '../../support/killdrill-argv.ts';

const BOUND_MS = 60_000;

/** What a real `killdrill` said, and how it ended. */
export function runCommand(
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const argv = [...killdrillArgv(), ...args];
    execFile(process.execPath, argv, { timeout: BOUND_MS }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}
