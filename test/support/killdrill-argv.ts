import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILT = `${ROOT}dist/harness/cli/main.js`;

let argv: readonly string[] | null = null;

/**
 * What Node is given to run the command as its sources are: what is built if that is newer than they are, as in `npm test`,
 * since it starts in half of the time; otherwise the sources.
 */
export function killdrillArgv(): readonly string[] {
  argv ??= isBuilt() ? [BUILT] : ['--import', import.meta.resolve('tsx'), `${ROOT}harness/cli/main.ts`];
  return argv;
}

function isBuilt(): boolean {
  const builtMs = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return ['src', 'harness'].every((folder) => newestMs(`${ROOT}${folder}`) < builtMs);
}

function newestMs(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Math.max(...files.map((one) => statSync(`${one.parentPath}/${one.name}`).mtimeMs));
}
