import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ApiKeys, readApiKeys } from '../../src/control/api/api-keys.ts';
import type { KeyEntry } from '../../src/control/api/api-keys.ts';
import type { Clock } from '../../src/clock.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { syncFolderNow } from '../../src/propagation/write-whole.ts';
import { readOrdinaryFile } from '../../src/ordinary-file.ts';

const LOOK_MS = 1_000;
const MAX_BYTES = 1_000_000;

/**
 * Reads a file of the API's keys.
 *
 * @throws KilldrillError `API_KEYS_INVALID` naming the file and what is wrong; never what it holds.
 */
export function readApiKeyFile(path: string): readonly KeyEntry[] {
  try {
    return readApiKeys(jsonIn(readOrdinaryFile(path, MAX_BYTES)));
  } catch (cause) {
    throw new KilldrillError('API_KEYS_INVALID', `${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Writes the file whole or not at all, readable by its owner only. */
export function writeApiKeyFile(path: string, entries: readonly KeyEntry[]): void {
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, `${JSON.stringify(entries, null, 2)}\n`, { flag: 'wx', flush: true, mode: 0o600 });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  syncFolderNow(dirname(path));
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
