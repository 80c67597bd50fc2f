import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from '../../../src/store/spool.ts';
import { releaseText, stopText } from './samples.ts';

const NAMESPACE = 'payments';
let folder: string;
let spool: Spool;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'killdrill-spool-')), 'spool');
  spool = new Spool(folder, NAMESPACE);
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const stop = (id: string, namespace = NAMESPACE) => ({ text: stopText(namespace, { id }), signature: 'sig' });

describe('a spool', () => {
  it('has what was kept, verbatim, until it is dropped', async () => {
    const ids = ['one', '../../escape', 'a\u0000b', 'ü'.repeat(140)];
    for (const id of ids) await spool.keep(stop(id));
    const { stops, setAside } = await new Spool(folder, NAMESPACE).open();
    expect(setAside).toEqual([]);
    expect(stops.map(({ id, text, signature }) => ({ id, text, signature })).toSorted(byId)).toEqual(
      ids.map((id) => ({ id, ...stop(id) })).toSorted(byId),
    );
    for (const id of ids) await spool.drop(id);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lets nobody else read it', async () => {
    const path = await spool.keep(stop('one'));
    expect([statSync(path).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it('sets aside what is torn at any byte, names it, and has the others', async () => {
    const [torn, whole] = [await spool.keep(stop('torn')), await spool.keep(stop('whole'))];
    const text = readFileSync(torn, 'utf8');
    for (const length of [0, 1, 10, Math.floor(text.length / 2), text.length - 1]) {
      writeFileSync(torn, text.slice(0, length));
      const { stops, setAside } = await spool.open();
      expect(stops.map(({ path }) => path)).toEqual([whole]);
      expect(setAside).toMatchObject([{ path: `${torn}.aside` }]);
      expect(readFileSync(`${torn}.aside`, 'utf8')).toBe(text.slice(0, length));
    }
  });

  it('sets aside what was changed, what is no stop, and what is too large', async () => {
    const [changed, release, large] = [
      await spool.keep(stop('a')),
      await spool.keep(stop('b')),
      await spool.keep(stop('c')),
    ];
    writeFileSync(changed, readFileSync(changed, 'utf8').replace('halt_all', 'halt_noncritical'));
    await spool.keep({ text: releaseText(NAMESPACE, ['x'], { id: 'b' }), signature: null });
    writeFileSync(large, 'x'.repeat(300_000));
    const { stops, setAside } = await spool.open();
    expect(stops).toEqual([]);
    expect(setAside.map(({ path }) => path).toSorted()).toEqual(
      [changed, release, large].map((at) => `${at}.aside`).toSorted(),
    );
  });

  it('leaves a stop of another namespace, and files of others, where they are', async () => {
    const path = await spool.keep(stop('one', 'other'));
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const { stops, setAside } = await spool.open();
    expect(stops).toEqual([]);
    expect(setAside).toEqual([{ path, why: "it is a stop of namespace 'other'" }]);
    expect(readdirSync(folder)).toContain('notes.txt');
  });

  it('has a stop whose last step, the rename, a crash has prevented', async () => {
    const path = await spool.keep(stop('one'));
    writeFileSync(join(folder, `.${path.split('/').at(-1)}.tmp`), readFileSync(path));
    rmSync(path);
    expect((await spool.open()).stops.map(({ id }) => id)).toEqual(['one']);
    await spool.drop('one');
    expect((await spool.open()).stops).toEqual([]);
  });

  it('says which folder it cannot use', async () => {
    writeFileSync(join(folder, '..', 'file'), '');
    await expect(new Spool(join(folder, '..', 'file'), NAMESPACE).open()).rejects.toMatchObject({
      code: 'SPOOL_UNUSABLE',
    });
  });
});

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}
