import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KilldrillError } from '../../src/errors.ts';

/**
 * The simulated fleet's command; it is started exactly as anybody's fleet is. From source (tests, development) it runs
 * through tsx, as built it runs plainly.
 *
 * @throws KilldrillError `FLEET_MISSING`
 */
export function simulatedFleet(args: readonly string[] = []): readonly string[] {
  return simulated('main', args);
}

/**
 * The command of one of the simulated fleet's executors.
 *
 * @throws KilldrillError `FLEET_MISSING`
 */
export function simulatedExecutor(args: readonly string[] = []): readonly string[] {
  return simulated('executor-main', args);
}

/**
 * This package's own command, as somebody would type it.
 *
 * @throws KilldrillError `FLEET_MISSING`
 */
export function builtCommand(args: readonly string[]): readonly string[] {
  return nodeProgram('cli/main', '..', 'the command', args);
}

function simulated(program: string, args: readonly string[]): readonly string[] {
  return nodeProgram(program, '../../fleet-sim', 'the simulated fleet', args);
}

function nodeProgram(program: string, folder: string, what: string, args: readonly string[]): readonly string[] {
  const here = fileURLToPath(import.meta.url);
  const main = join(dirname(here), folder, `${program}${extname(here)}`);
  if (!existsSync(main)) {
    throw new KilldrillError('FLEET_MISSING', `${what} is not at ${main}; build it with 'npm run build'`);
  }
  const runner = extname(here) === '.ts' ? ['--import', 'tsx'] : [];
  return [process.execPath, ...runner, main, ...args];
}
