import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../src/errors.ts';
import { LIMITS } from './limits.ts';
import { parseScenario } from './parse.ts';
import { ScenarioError } from './scenario-error.ts';
import type { Scenario } from './scenario.ts';

/**
 * Reads a scenario file.
 *
 * @param properties names that `expect.properties` may use
 * @throws ScenarioError with everything that is wrong, in file order; also for a file that cannot be read
 */
export function loadScenario(path: string, properties: readonly string[]): Scenario {
  return parseScenario(readText(path), path, properties);
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    const facts = statSync(path);
    // A pipe or a device may never end; a folder says EISDIR by itself.
    if (!facts.isFile() && !facts.isDirectory()) throw new Error('something that is no ordinary file');
    if (facts.size > LIMITS.fileBytes) throw new Error(`${facts.size} bytes, over the ${LIMITS.fileBytes} allowed`);
    bytes = readFileSync(path);
  } catch (cause) {
    const found = WHY[(cause as NodeJS.ErrnoException).code ?? ''] ?? messageOf(cause);
    throw unreadable(path, found, 'check the path; `killdrill validate` takes the path of a file', cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(path, 'bytes that are not UTF-8', 'save it as UTF-8', cause);
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'a folder',
  EACCES: 'a file that may not be read',
};

function unreadable(file: string, found: string, fix: string, cause: unknown): ScenarioError {
  const problem = { file, line: 1, column: 1, where: '', found, expected: 'a scenario, a YAML file', fix };
  return new ScenarioError([problem], { cause });
}
