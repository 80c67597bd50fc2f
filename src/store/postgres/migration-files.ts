import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KilldrillError } from '../../errors.ts';
import { packageFolder } from '../../package-root.ts';

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
