import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commandWords } from './command-words.ts';
import { refusedInit } from './init-error.ts';
import type { NodePackage, Project } from './read-project.ts';

/** What starts one worker. */
export interface FoundFleet {
  /** Null for killdrill's own simulated fleet. */
  readonly command: readonly string[] | null;
  /** Where it was found, such as `the script 'worker' of package.json`; null when somebody said it, or nothing was found. */
  readonly guessedFrom: string | null;
}

/** What a worker may be called, the likeliest first. */
const NAMES = ['worker', 'agent', 'start'] as const;
const PYTHON_NAMES = ['worker.py', 'agent.py'] as const;
/** What starts without a package manager that puts it on the path first. */
const PLAIN = /^(?:node|python3?|deno|bun|\.{0,2}\/.*)$/;

/**
 * The fleet's command: what was said, or else what the project's files suggest, or else none.
 *
 * @param said a command line, without a shell; null to guess
 * @throws KilldrillError `USAGE` when the line is no command
 */
export function findFleet(project: Project, said: string | null): FoundFleet {
  if (said !== null) return { command: wordsOf(said), guessedFrom: null };
  return (
    (project.node === null ? null : ofPackage(project.node)) ??
    ofPython(project.folder) ?? { command: null, guessedFrom: null }
  );
}

function wordsOf(line: string): readonly string[] {
  const read = commandWords(line);
  if ('words' in read) return read.words;
  throw refusedInit(
    `--fleet is '${line}': found ${read.found}, expected the words of one command such as --fleet "node worker.js"; a fleet is started without a shell, so put what needs one into a script`,
  );
}

function ofPackage({ scripts, bin }: NodePackage): FoundFleet | null {
  for (const name of NAMES) {
    const script = scripts[name];
    if (script !== undefined)
      return { command: ofScript(name, script), guessedFrom: `the script '${name}' of package.json` };
    const file = bin[name];
    if (file !== undefined) return { command: ['node', file], guessedFrom: `the bin '${name}' of package.json` };
  }
  return null;
}

function ofScript(name: string, line: string): readonly string[] {
  const read = commandWords(line);
  if ('words' in read && PLAIN.test(read.words[0] ?? '')) return read.words;
  return ['npm', 'run', '--silent', name];
}

function ofPython(folder: string): FoundFleet | null {
  const file = PYTHON_NAMES.find((name) => existsSync(join(folder, name)));
  return file === undefined ? null : { command: ['python3', file], guessedFrom: file };
}
