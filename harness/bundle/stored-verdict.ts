import { readFile } from 'node:fs/promises';
import { openBundle } from './open.ts';
import { altered } from './manifest.ts';

export const VERDICT_FILE = 'verdict.json';

/**
 * The verdict that was stored with a run, as JSON. Only for comparing with a verdict that is complete already.
 *
 * @throws KilldrillError as `openBundle` does; `BUNDLE_FILE_MISSING` when the run ended before it was judged.
 */
export async function readStoredVerdict(folder: string): Promise<unknown> {
  const bundle = await openBundle(folder);
  const text = await readFile(bundle.path(VERDICT_FILE), 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw altered(folder, VERDICT_FILE, 'it is no JSON', cause);
  }
}
