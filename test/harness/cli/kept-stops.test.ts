import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { keeperIn, keptStops } from '../../../harness/cli/kept-stops.ts';
import { canonicalText } from '../../../src/flip-text.ts';
import { stopOf } from '../../src/propagation/state-stage.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-kept-'));
  return () => rmSync(folder, { recursive: true, force: true });
});
const idsIn = async (): Promise<readonly string[]> => (await keptStops(folder)).stops.map(({ flip }) => flip.id);

describe('stops that are kept', () => {
  test('are found again, each once, whatever its id is, and gone when they are dropped', async () => {
    for (const id of ['a', '../b', 'a.json']) await keeperIn(folder, id).keep(canonicalText(stopOf(id)), null);
    await keeperIn(folder, 'a').keep(canonicalText(stopOf('a')), null);
    expect((await idsIn()).toSorted()).toEqual(['../b', 'a', 'a.json']);
    await keeperIn(folder, 'a').drop();
    expect((await idsIn()).toSorted()).toEqual(['../b', 'a.json']);
  });

  test('count when the command was killed before the last step, and not when there is less than all of it', async () => {
    const path = await keeperIn(folder, 'a').keep(canonicalText(stopOf('a')), null);
    const text = readFileSync(path, 'utf8');
    renameSync(path, `${path}.4711.half`);
    writeFileSync(join(folder, 'b.json.4712.half'), text.slice(0, -9));
    expect(await keptStops(folder)).toMatchObject({ stops: [{ flip: { id: 'a' } }], unreadable: [] });
    await keeperIn(folder, 'a').drop();
    expect(readdirSync(folder)).toEqual(['b.json.4712.half']);
  });

  test('are none where there is no folder, and not known where there is something else', async () => {
    expect(await keptStops(join(folder, 'later'))).toEqual({ stops: [], unreadable: [] });
    writeFileSync(join(folder, 'file'), '');
    await expect(keptStops(join(folder, 'file'))).rejects.toThrow(/stops that are kept cannot be read .*ENOTDIR/);
  });
});
