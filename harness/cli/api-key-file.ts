import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { ApiKeys, readApiKeys } from '../../src/control/api/api-keys.ts';
import type { KeyEntry } from '../../src/control/api/api-keys.ts';
import type { Clock } from '../../src/clock.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';

const LOOK_MS = 1_000;
const MAX_BYTES = 1_000_000;

/**
 * Reads a file of the API's keys.
 *
 * @throws KilldrillError `API_KEYS_INVALID` naming the file and what is wrong; never what it holds.
 */
export function readApiKeyFile(path: string): readonly KeyEntry[] {
  try {
    const facts = statSync(path);
    if (!facts.isFile() || facts.size > MAX_BYTES) throw new Error(`it is no file of at most ${MAX_BYTES} bytes`);
    return readApiKeys(jsonIn(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new KilldrillError('API_KEYS_INVALID', `${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Writes the file whole or not at all, readable by its owner only. */
export function writeApiKeyFile(path: string, entries: readonly KeyEntry[]): void {
  const unfinished = `${path}.${process.pid}.tmp`;
  const file = openSync(unfinished, 'wx', 0o600);
  try {
    writeSync(file, `${JSON.stringify(entries, null, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
}

/** The entries of a file that need not be there yet. */
export function apiKeysSoFar(path: string): readonly KeyEntry[] {
  return existsSync(path) ? readApiKeyFile(path) : [];
}

/**
 * The file's keys as of now, looked at again once a second, so that keys are turned without a restart. A file that cannot
 * be read leaves the keys as they were: nobody loses the right to stop by a slip of the editor.
 *
 * @throws KilldrillError `API_KEYS_INVALID` when it cannot be read at first.
 */
export function followApiKeyFile(path: string, clock: Clock, onError: (error: Error) => void): () => ApiKeys {
  let keys = new ApiKeys(readApiKeyFile(path));
  let seen = stampOf(path);
  let lookedAtMs = clock.monotonicMs();
  return () => {
    if (clock.monotonicMs() - lookedAtMs < LOOK_MS) return keys;
    lookedAtMs = clock.monotonicMs();
    const stamp = stampOf(path);
    if (stamp === seen) return keys;
    seen = stamp;
    try {
      keys = new ApiKeys(readApiKeyFile(path));
    } catch (error) {
      onError(error instanceof Error ? error : new Error(messageOf(error)));
    }
    return keys;
  };
}

function stampOf(path: string): string {
  try {
    const { ino, mtimeMs, ctimeMs, size } = statSync(path);
    return [ino, mtimeMs, ctimeMs, size].join(' ');
  } catch {
    return 'not there';
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON'); // the parser's own words would quote it
  }
}
