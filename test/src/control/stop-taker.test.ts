import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StopTaker } from '../../../src/control/stop-taker.ts';
import type { StopTakerParts } from '../../../src/control/stop-taker-parts.ts';
import { KilldrillError } from '../../../src/errors.ts';
import { Registry } from '../../../src/registry.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { Spool } from '../../../src/store/spool.ts';
import { ManualClock, pass, settled } from '../manual-clock.ts';
import { stopText } from '../store/samples.ts';
import { stopsOver } from './memory-stops.ts';

const NAMESPACE = 'payments';
let folder: string;
let clock: ManualClock;
let registry: Registry;
let store: MemoryStore;
let away: Error | null;
let held: Promise<void> | null;
let errors: Error[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-taker-'));
  [clock, registry, store] = [
    new ManualClock(),
    new Registry(NAMESPACE),
    new MemoryStore(new MemoryState({ namespace: NAMESPACE })),
  ];
  [away, held, errors] = [null, null, []];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function taker(parts: Partial<StopTakerParts> = {}): StopTaker {
  const stops = stopsOver(store, async () => {
    if (held !== null) await held;
    if (away !== null) throw away;
  });
  return new StopTaker({
    ...{ namespace: NAMESPACE, registry, store: stops, spool: new Spool(folder, NAMESPACE), paths: [], clock },
    onError: (error) => errors.push(error),
    ...parts,
  });
}

const unreachable = (): Error => new KilldrillError('STORE_UNREACHABLE', 'nobody is there');
const files = (): readonly string[] => readdirSync(folder).toSorted();
const stop = (id: string, more = {}) => ({ text: stopText(NAMESPACE, { id, ...more }), signature: null });

/** Lets real file work and manual time go on until it is so. */
async function until(isSo: () => boolean, stepMs = 10): Promise<void> {
  await vi.waitUntil(
    async () => {
      if (!isSo() && stepMs > 0) await pass(clock, stepMs);
      return isSo();
    },
    { timeout: 30_000, interval: 1 },
  );
}

describe('a stop that is taken', () => {
  it('is enforced before anybody has answered, and acknowledged once durable', async () => {
    let let_go = (): void => undefined;
    held = new Promise((resolve) => (let_go = resolve));
    const taken = taker().take(stop('one'));
    expect(registry.openEngagements().map(({ id }) => id)).toEqual(['one']);
    let_go();
    expect(await taken).toMatchObject({ kind: 'durable', id: 'one', record: { revision: 1 } });
    expect(files()).toEqual([]);
  });

  it('has the first answer when it is sent again, and is refused with another text', async () => {
    const one = taker();
    const first = await one.take(stop('one'));
    expect(await one.take(stop('one'))).toEqual(first);
    await expect(one.take(stop('one', { reason: 'another' }))).rejects.toMatchObject({ code: 'FLIP_ID_REUSED' });
    expect((await store.load()).head.revision).toBe(1);
  });

  it('waits with others for one statement, in the order in which they came', async () => {
    const batches: number[] = [];
    const stops = stopsOver(store, (texts) => void batches.push(texts.length));
    const one = taker({ store: stops });
    const taken = await Promise.all(Array.from({ length: 70 }, (_, nth) => one.take(stop(`s${nth}`))));
    expect(taken.map((each) => (each.kind === 'durable' ? each.record.revision : 0))).toEqual(
      Array.from({ length: 70 }, (_, nth) => nth + 1),
    );
    expect(batches.length).toBeLessThan(8);
  });

  it('is not enforced any more, and refused, when its id named another flip', async () => {
    await store.flip(stop('one').text, null);
    await expect(taker().take(stop('one', { target: '*', reason: 'another' }))).rejects.toMatchObject({
      code: 'FLIP_ID_REUSED',
    });
    expect(registry.openCount).toBe(0);
  });

  it('is taken although one beside it in the same statement is refused', async () => {
    await store.flip(stop('used').text, null);
    const one = taker();
    const [good, bad] = await Promise.allSettled([one.take(stop('good')), one.take(stop('used', { reason: 'x' }))]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { kind: 'durable' } });
    expect(bad).toMatchObject({ status: 'rejected' });
  });

  it.each([
    ['a release', JSON.stringify({ ...JSON.parse(stopText(NAMESPACE)), kind: 'release' }), 'FLIP_UNREADABLE'],
    ['another namespace', stopText('other'), 'FLIP_NAMESPACE'],
    ['junk', '{', 'FLIP_UNREADABLE'],
  ])('is refused as %s, and nothing is enforced', async (_, text, code) => {
    await expect(taker().take({ text, signature: null })).rejects.toMatchObject({ code });
    expect(registry.openCount).toBe(0);
  });
});

describe('a stop that is taken while the store is away', () => {
  it('is enforced, on disk, over the other paths, and the answer says so', async () => {
    away = unreachable();
    const pushed: string[] = [];
    const paths = [
      { name: 'file', push: async ({ text }: { text: string }) => void pushed.push(text) },
      { name: 'broken', push: () => Promise.reject(new Error('no')) },
    ];
    const taken = await taker({ paths }).take(stop('one'));
    expect(taken).toMatchObject({ kind: 'provisional', reached: ['file'], why: 'nobody is there' });
    expect(pushed).toEqual([stop('one').text]);
    expect(files()).toHaveLength(1);
    expect(registry.openCount).toBe(1);
  });

  it('is sent again until the store has it, and then no file is left', async () => {
    away = unreachable();
    const one = taker();
    await one.take(stop('one'));
    await pass(clock, 1_000);
    expect(one.status()).toEqual({ waiting: 1, away: 'nobody is there' });
    away = null;
    await until(() => one.status().waiting === 0 && files().length === 0);
    expect((await store.load()).head.revision).toBe(1);
    expect(one.status().away).toBeNull();
  });

  it('is on disk before its caller is answered, when the store only hangs', async () => {
    held = new Promise(() => undefined);
    let answer: unknown = null;
    void taker()
      .take(stop('one'))
      .then((taken) => (answer = taken));
    await pass(clock, 110);
    await until(() => files().length === 1, 0);
    expect(answer).toBeNull();
    await until(() => answer !== null);
    expect(answer).toMatchObject({ kind: 'provisional', why: 'the store did not answer within 200 ms' });
  });

  it('is kept in memory, and says so, where the disk takes nothing', async () => {
    away = unreachable();
    writeFileSync(join(folder, 'no-folder'), '');
    const spool = new Spool(join(folder, 'no-folder'), NAMESPACE);
    const one = taker({ spool });
    expect(await one.take(stop('one'))).toMatchObject({ kind: 'provisional', keptAt: null });
    expect(errors.map((error) => (error instanceof KilldrillError ? error.code : ''))).toContain('SPOOL_UNWRITTEN');
    away = null;
    await until(() => one.status().waiting === 0);
    expect((await store.load()).head.revision).toBe(1);
  });

  it('is taken up by the next process, enforced before that has answered anything', async () => {
    away = unreachable();
    await taker().take(stop('one'));
    const [later, next] = [new Registry(NAMESPACE), new ManualClock()];
    const heir = taker({ registry: later, clock: next });
    expect((await heir.restore()).stops.map(({ id }) => id)).toEqual(['one']);
    expect(later.openCount).toBe(1);
    away = null;
    await settled();
    for (let look = 0; look < 200 && heir.status().waiting > 0; look += 1) await pass(next, 50);
    expect((await store.load()).open).toHaveLength(1);
  });

  it('is on disk when the taker is closed', async () => {
    held = new Promise(() => undefined);
    const one = taker({
      store: { stops: () => new Promise((_, reject) => clock.after(200, () => reject(unreachable()))) },
    });
    void one.take(stop('one'));
    const closing = one.close(0);
    let left: unknown = null;
    void closing.then((these) => (left = these));
    await until(() => left !== null);
    expect(left).toMatchObject([{ id: 'one', keptAt: expect.stringContaining(folder) as string }]);
    await expect(one.take(stop('two'))).rejects.toMatchObject({ code: 'TAKER_CLOSED' });
  });
});
