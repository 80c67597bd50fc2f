import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KilldrillError } from '../../errors.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/**
 * The numbered SQL files, in order. They are not compiled: this module may run from `src/` or from `dist/`, the files
 * are in `src/` only.
 */
export function readMigrations(): readonly Migration[] {
  const folder = join(packageFolder(), 'src', 'store', 'postgres', 'migrations');
  const names = readdirSync(folder)
    .filter((name) => /^\d{4}_.+\.sql$/.test(name))
    .toSorted();
  return names.map((name, index) => {
    const number = Number(name.slice(0, 4));
    if (number !== index + 1) {
      throw new KilldrillError(
        'MIGRATION_NUMBER',
        `${join(folder, name)} is numbered ${number}, expected ${index + 1}: numbers have no gap`,
      );
    }
    return { number, name, sql: readFileSync(join(folder, name), 'utf8') };
  });
}

/** The nearest folder above this file whose package.json is killdrill's. */
function packageFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (isPackageOfKilldrill(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) {
      throw new KilldrillError(
        'PACKAGE_NOT_FOUND',
        `no package.json of killdrill above ${start}; its SQL files cannot be found, install it anew`,
      );
    }
  }
}

function isPackageOfKilldrill(file: string): boolean {
  if (!existsSync(file)) return false;
  const read: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return typeof read === 'object' && read !== null && 'name' in read && read.name === 'killdrill';
}
