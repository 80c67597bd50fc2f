import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { FILE_NAME, MANIFEST, altered, isListed, readManifest, verifyFile } from './manifest.ts';
import type { StoreHead } from './manifest.ts';

/** A stored run, verified. */
export interface StoredBundle {
  /** Absolute. */
  readonly folder: string;
  /** False when there is no manifest: the run that made it did not come to its end. */
  readonly complete: boolean;
  /** Why it is not complete, a sentence; null when it is. */
  readonly incompleteBecause: string | null;
  readonly files: readonly string[];
  readonly storeHead: StoreHead | null;
  /**
   * The path of one of its files.
   *
   * @throws KilldrillError `BUNDLE_FILE_MISSING` when the run left no such file (evidence, which no manifest lists, is none of
   * them), `BUNDLE_ALTERED` when it is there but not in the manifest.
   */
  path(name: string): string;
}

/**
 * Opens a stored run and compares every file with its manifest.
 *
 * @throws KilldrillError `BUNDLE_MISSING` when there is no such folder, `BUNDLE_ALTERED` naming the first file that is
 * not byte for byte as it was written.
 */
export async function openBundle(folder: string): Promise<StoredBundle> {
  const present = await filesIn(folder);
  const manifest = await readManifest(folder);
  if (manifest === null) return stored(folder, present, present, withoutManifest(folder), null);
  for (const [name, expected] of Object.entries(manifest.files)) await verifyFile(folder, name, expected);
  return stored(folder, Object.keys(manifest.files), present, null, manifest.storeHead);
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    return files.filter((name) => FILE_NAME.test(name)).toSorted();
  } catch (cause) {
    const what = `no bundle can be read from ${folder}: ${messageOf(cause)}; expected a run's folder such as reports/<run>`;
    throw new KilldrillError('BUNDLE_MISSING', what, { cause });
  }
}

function withoutManifest(folder: string): string {
  return `${folder} has no ${MANIFEST}: the run ended before its record was complete, or the file was removed`;
}

function stored(
  folder: string,
  files: readonly string[],
  present: readonly string[],
  incompleteBecause: string | null,
  storeHead: StoreHead | null,
): StoredBundle {
  const path = (name: string): string => {
    if (files.includes(name)) return join(folder, name);
    if (present.includes(name) && isListed(name)) throw altered(folder, name, 'the manifest does not know it');
    const what = isListed(name)
      ? `the bundle ${folder} has no ${name}; it holds ${present.join(', ') || 'nothing'}; expected a folder that \`killdrill run\` made, such as reports/<run>`
      : `${name} is no part of the bundle ${folder}: it is evidence about it, which no manifest lists`;
    throw new KilldrillError('BUNDLE_FILE_MISSING', what);
  };
  return { folder: resolve(folder), complete: incompleteBecause === null, incompleteBecause, files, storeHead, path };
}
