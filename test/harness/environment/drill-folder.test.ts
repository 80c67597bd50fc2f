import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assertDrillFolder, chooseDrillFolder, makeDrillFolder } from '../../../harness/environment/drill-folder.ts';

const asRoot = process.getuid?.() === 0;
let parent: string;
beforeEach(() => {
  parent = mkdtempSync('/tmp/kdf-');
  chmodSync(parent, 0o755);
});
afterEach(() => rmSync(parent, { recursive: true }));

describe('a drill folder', () => {
  test('is chosen without being made, and never twice the same', () => {
    const chosen = Array.from({ length: 1_000 }, () => chooseDrillFolder([parent]));
    expect(new Set(chosen).size).toBe(1_000);
    for (const folder of chosen) assertDrillFolder(folder);
    expect(() => statSync(chosen[0] ?? '')).toThrow();
  });

  test('can be passed by others and listed by its user only, whatever the umask is', () => {
    const folder = chooseDrillFolder([parent]);
    makeDrillFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o711);
    expect(() => makeDrillFolder(folder)).toThrow(/EEXIST/);
  });

  test('goes where there is room for the path of a socket', () => {
    const long = join(parent, 'x'.repeat(80));
    mkdirSync(long);
    expect(chooseDrillFolder([long, join(parent, 'missing'), parent]).startsWith(`${parent}/kd-`)).toBe(true);
    expect(() => chooseDrillFolder([long, join(parent, 'missing')])).toThrow(
      /there is no place for a drill's folder: .* is longer than 50 bytes; .* does not exist; set TMPDIR/,
    );
  });

  test.runIf(asRoot)('goes where the user that PostgreSQL runs as can pass, when the drill runs as root', () => {
    const closed = join(parent, 'closed');
    mkdirSync(join(closed, 'inside'), { recursive: true });
    chmodSync(closed, 0o700);
    expect(() => chooseDrillFolder([join(closed, 'inside')])).toThrow(
      `cannot be passed by other users (mode of ${closed})`,
    );
  });

  test.each([
    '',
    '/',
    '/tmp',
    '/tmp/kd-',
    `kd-${'0'.repeat(32)}`,
    `/tmp/kd-${'0'.repeat(32)}/..`,
    `/tmp/kd-${'0'.repeat(31)}`,
    `/tmp//kd-${'0'.repeat(32)}`,
  ])('is never %j', (path) => {
    expect(() => assertDrillFolder(path)).toThrow(expect.objectContaining({ code: 'NOT_A_DRILL_FOLDER' }) as Error);
  });
});
