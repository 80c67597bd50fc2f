import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../../harness/bundle/open.ts';

const SEALED = fileURLToPath(new URL('kept-bundles/sealed', import.meta.url));
const FILES = readdirSync(SEALED);

const fraction = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
/** Makes a tab of a blank, and a hash of a line's end. */
const ANOTHER_BLANK = 0x29;
const otherwise = fc.integer({ min: 1, max: 255 });

describe('a bundle of which one byte is another one', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'killdrill-any-byte-'));
    cpSync(SEALED, folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function refusalOf(name: string, at: number, mask: number): Promise<unknown> {
    const file = join(folder, name);
    const whole = readFileSync(join(SEALED, name));
    const changed = Buffer.from(whole);
    changed.writeUInt8(changed.readUInt8(at) ^ mask, at);
    writeFileSync(file, changed);
    try {
      return await openBundle(folder).then(
        () => 'taken',
        (error: unknown) => error,
      );
    } finally {
      writeFileSync(file, whole);
    }
  }

  const refused = (name: string): unknown =>
    expect.objectContaining({
      code: 'BUNDLE_ALTERED',
      message: expect.stringContaining(`${name} in the bundle`) as string,
    });

  it.each(FILES)('is refused, and %s named, wherever the byte is and whatever it becomes', async (name) => {
    const { length } = readFileSync(join(SEALED, name));
    await fc.assert(
      fc.asyncProperty(fraction, otherwise, async (place, mask) => {
        expect(await refusalOf(name, Math.floor(place * length), mask)).toEqual(refused(name));
      }),
      { numRuns: 40 },
    );
    expect((await openBundle(folder)).complete).toBe(true);
  });

  it("is refused for every single byte of its manifest, those of the store's head and the blanks included", async () => {
    const whole = readFileSync(join(SEALED, 'manifest.json'));
    const blanks = [...whole.keys()].filter((at) => whole[at] === 0x20 || whole[at] === 0x0a);
    const changes = [
      ...[...whole.keys()].map((at) => [at, 1] as const),
      ...blanks.map((at) => [at, ANOTHER_BLANK] as const),
    ];
    const taken: number[] = [];
    for (const [at, mask] of changes) if ((await refusalOf('manifest.json', at, mask)) === 'taken') taken.push(at);
    expect(taken).toEqual([]);
  });
});
