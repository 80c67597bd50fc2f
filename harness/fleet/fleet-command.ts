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

function simulated(program: string, args: readonly string[]): readonly string[] {
  const here = fileURLToPath(import.meta.url);
  const main = join(dirname(here), '../../fleet-sim', `${program}${extname(here)}`);
  if (!existsSync(main)) {
    throw new KilldrillError('FLEET_MISSING', `the simulated fleet is not at ${main}; build it with 'npm run build'`);
  }
  const runner = extname(here) === '.ts' ? ['--import', 'tsx'] : [];
  return [process.execPath, ...runner, main, ...args];
}
