import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readOrdinaryFile } from '../../src/ordinary-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-file-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

describe('a file that somebody named', () => {
  it('is read when it is one, and not longer than expected', () => {
    writeFileSync(join(folder, 'key'), 'ö'.repeat(4));
    expect(readOrdinaryFile(join(folder, 'key'), 8)).toBe('öööö');
    expect(() => readOrdinaryFile(join(folder, 'key'), 7)).toThrow('it has 8 bytes; expected at most 7');
  });

  it('is refused at once when it is a pipe that nobody writes to, a device that never ends, a folder, or nothing', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(() => readOrdinaryFile(join(folder, 'pipe'), 100)).toThrow('it is no ordinary file');
    expect(() => readOrdinaryFile('/dev/zero', 100)).toThrow('it is no ordinary file');
    expect(() => readOrdinaryFile(folder, 100)).toThrow('it is no ordinary file');
    expect(() => readOrdinaryFile(join(folder, 'nowhere'), 100)).toThrow('ENOENT');
  });
});
