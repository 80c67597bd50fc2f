import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { killdrillArgv } from '../../support/killdrill-argv.ts';
import { writeApiKeyFile } from '../../../harness/cli/api-key-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-keys-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

describe('where there is no room', () => {
  test('no part of a private key is left, in the way of the next try', async () => {
    const command = [process.execPath, ...killdrillArgv()];
    const make = (limits: string) =>
      promisify(execFile)('bash', [
        '-c',
        `${limits} exec "$@"`,
        'make',
        ...[...command, 'keys', 'make', join(folder, 'key.pem'), '--right', 'stop'],
      ]);
    // Writing to a file fails then, as on a full disk.
    const refused = expect(make("trap '' XFSZ; ulimit -f 0;")).rejects;
    await refused.toMatchObject({ code: 3, stderr: expect.stringContaining('no key was made in') as string });
    expect(readdirSync(folder)).toEqual([]);
    expect((await make('')).stdout).toMatch(/^stop:/);
  });

  test('nothing of a keys file is left but what was there', () => {
    mkdirSync(join(folder, 'keys.json'));
    expect(() => writeApiKeyFile(join(folder, 'keys.json'), [])).toThrow();
    expect(readdirSync(folder)).toEqual(['keys.json']);
  });
});
