import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KilldrillError } from '../../src/errors.ts';
import { packageFolder } from '../../src/package-root.ts';
import { PROPERTY_NAMES } from '../checkers/registry.ts';
import { loadScenario } from '../scenario/load.ts';
import type { Scenario } from '../scenario/scenario.ts';

/**
 * A scenario by the path of its file, or by the name of one that is shipped.
 *
 * @throws ScenarioError when the file cannot be read; KilldrillError `SCENARIO_MISSING` when a name is none of ours.
 */
export function findScenario(nameOrPath: string): Scenario {
  return loadScenario(scenarioPath(nameOrPath), PROPERTY_NAMES);
}

/** What has a slash or an ending is a path; anything else is a name, unless a file of that name is there. */
export function scenarioPath(nameOrPath: string): string {
  if (/[/\\]|\.ya?ml$/.test(nameOrPath) || isFile(nameOrPath)) return nameOrPath;
  const shipped = join(shippedFolder(), `${nameOrPath}.yaml`);
  if (existsSync(shipped)) return shipped;
  throw new KilldrillError(
    'SCENARIO_MISSING',
    `there is no scenario '${nameOrPath}': expected a file's path (with a slash or ending in .yaml), or one of ${shippedNames().join(', ')}`,
  );
}

/** A scenario that belongs to the selftest, by its name. */
export function selftestScenario(name: string): Scenario {
  return loadScenario(join(shippedFolder(), 'selftest', `${name}.yaml`), PROPERTY_NAMES);
}

export function shippedNames(): readonly string[] {
  return readdirSync(shippedFolder())
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .toSorted();
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function shippedFolder(): string {
  return join(packageFolder(), 'scenarios');
}
