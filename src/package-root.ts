import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KilldrillError } from './errors.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/**
 * The folder of killdrill's own package.json. Compiled code runs from `dist/`, other files (SQL, scenarios) lie beside it.
 *
 * @throws KilldrillError `PACKAGE_NOT_FOUND`
 */
export function packageFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (readManifest(folder)?.name === 'killdrill') return folder;
    if (dirname(folder) === folder) {
      throw new KilldrillError(
        'PACKAGE_NOT_FOUND',
        `no package.json of killdrill above ${start}; its SQL files and scenarios cannot be found, install it anew`,
      );
    }
  }
}

/** killdrill's own version, as in its package.json. */
export function packageVersion(): string {
  return readManifest(packageFolder())?.version ?? 'unknown';
}

function readManifest(folder: string): Manifest | null {
  const path = join(folder, 'package.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : null;
}
