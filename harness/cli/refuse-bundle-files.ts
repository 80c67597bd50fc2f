import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openBundle } from '../bundle/open.ts';
import type { Reporter } from './reporters.ts';
import { usage } from './usage.ts';

/**
 * A finished bundle is as its drill wrote it: no reporter writes over a file that is in its manifest, and nothing is written
 * into it that is not.
 *
 * @throws KilldrillError `USAGE` naming the file
 */
export async function refuseBundleFiles(folder: string, reporters: readonly Reporter[]): Promise<void> {
  const files = reporters.flatMap(({ file }) => file ?? []);
  if (files.length === 0) return;
  const bundle = await openBundle(folder);
  const inside = files.find((file) => real(file) === join(realpathSync(folder), basename(file)));
  if (inside === undefined || !bundle.complete) return;
  throw usage(`${inside} would be in the bundle ${folder}, which is kept as its drill wrote it; name a file elsewhere`);
}

/** Where a file is or would be; its own path when its folder is not there. */
function real(file: string): string {
  try {
    return join(realpathSync(dirname(file)), basename(file));
  } catch {
    return file;
  }
}
