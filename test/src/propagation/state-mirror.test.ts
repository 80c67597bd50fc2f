import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { Lease } from '../../../src/lease.ts';
import { haltByFile } from '../../../src/propagation/halt-by-file.ts';
import { StateMirror } from '../../../src/propagation/state-mirror.ts';
import { hmacSeal } from '../../../src/propagation/state-seal.ts';
import { StoreFeed } from '../../../src/propagation/store-feed.ts';
import { Registry } from '../../../src/registry.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { FlipSource } from '../../../src/store/store.ts';
import { releaseText, stopText } from '../store/samples.ts';
import { KEY, NAMESPACE, RUNNING, SOMEBODY, follow, openSwitch, stateFolder, stopOf } from './state-stage.ts';
import type { Follower } from './state-stage.ts';

const SOON = { timeout: 20_000, interval: 5 };
let path: string;
let store: MemoryStore;
let isAway: boolean;

beforeEach(() => {
  path = join(stateFolder(), 'state.json');
  store = new MemoryStore(new MemoryState({ namespace: NAMESPACE }), {}, 0);
  isAway = false;
});

/** The store as one process reaches it. */
function source(): FlipSource {
  const reach = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (isAway) throw new Error('the store is away');
    return ask();
  };
  return {
    load: (proof) => reach(() => store.load(proof)),
    flipsAfter: (head) => reach(() => store.flipsAfter(head)),
    relay: (text, signature) => reach(() => store.relay(text, signature)),
    listen: (onFlip, lost) => reach(() => store.listen(onFlip, lost)),
  };
}

interface Mirroring {
  readonly mirror: StateMirror;
  readonly registry: Registry;
  readonly errors: readonly string[];
  close(): Promise<void>;
}

async function mirroring(key = KEY, rewriteMs = 60_000): Promise<Mirroring> {
  const [registry, lease, errors] = [
    new Registry(NAMESPACE),
    new Lease(systemClock, { leaseMs: 1_200, storeAgeMs: 0 }),
    [] as string[],
  ];
  const onError = ({ message }: Error): void => void errors.push(message);
  const timings = { pollMs: 50, retryMs: 20 };
  const feed = new StoreFeed({ source: source(), registry, lease, clock: systemClock, timings });
  const mirror = new StateMirror({
    ...{ path, namespace: NAMESPACE, seal: hmacSeal(key), registry, lease, clock: systemClock, newToken: randomUUID },
    ...{ onError, timings: { rewriteMs, pollMs: 5, retryMs: 20 } },
  });
  feed.start();
  if (!isAway) await feed.ready();
  mirror.start();
  let isOver = false;
  const close = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await mirror.close();
    await feed.close();
  };
  onTestFinished(close);
  return { mirror, registry, errors, close };
}

/** A fleet that knows the file alone. */
function watching(): Follower {
  const one = follow(path, { pollMs: 5 });
  one.feed.start();
  onTestFinished(() => one.feed.close());
  return one;
}

const ids = ({ registry }: Pick<Follower, 'registry'>): readonly string[] =>
  registry
    .openEngagements()
    .map(({ id }) => id)
    .toSorted();
const runs = ({ registry, feed }: Follower): boolean => feed.verified() && registry.decide(SOMEBODY).kind !== 'halt';
const stop = (id: string) => store.flip(stopText(NAMESPACE, { id }), null);
const release = (...engagements: readonly string[]) => store.flip(releaseText(NAMESPACE, engagements), null);
const inStore = async (): Promise<readonly string[]> =>
  (await store.openEngagements()).map(({ flip }) => flip.id).toSorted();
const sequence = (): number =>
  (JSON.parse(readFileSync(path, 'utf8')) as { readonly state: { readonly sequence: number } }).state.sequence;

describe('a mirror of the store in a state file', () => {
  it('makes the file, brings what is stopped anywhere to those who watch it, and what is released', async () => {
    await stop('before');
    await mirroring();
    const fleet = watching();
    await vi.waitFor(() => expect([ids(fleet), fleet.feed.verified()]).toEqual([['before'], true]), SOON);
    await stop('since');
    await vi.waitFor(() => expect(ids(fleet)).toEqual(['before', 'since']), SOON);
    await release('before', 'since');
    await vi.waitFor(() => expect(runs(fleet)).toBe(true), SOON);
  });

  it('brings what a hand or halt stops to the store, and undoes it only once the store has released it', async () => {
    const { registry } = await mirroring();
    const fleet = watching();
    await vi.waitFor(() => expect(runs(fleet)).toBe(true), SOON);
    await haltByFile(path, stopOf('by halt'));
    writeFileSync(path, readFileSync(path, 'utf8').replace(RUNNING, '"global:*": "emergency"'));
    await vi.waitFor(async () => expect(await inStore()).toHaveLength(2), SOON);
    await stop('elsewhere'); // a writing for another reason
    await vi.waitFor(() => expect(ids(fleet)).toHaveLength(3), SOON);
    expect(ids(fleet)).toEqual(ids({ registry }));
    for (const id of await inStore()) {
      expect(runs(fleet)).toBe(false);
      await release(id);
    }
    await vi.waitFor(() => expect([runs(fleet), existsSync(path)]).toEqual([true, true]), SOON);
  });

  it('keeps a HALT file’s stop until the store has released it, and lets the file lie then', async () => {
    await mirroring();
    const fleet = watching();
    await vi.waitFor(() => expect(runs(fleet)).toBe(true), SOON);
    writeFileSync(join(path, '..', 'HALT'), 'now');
    await vi.waitFor(async () => expect(await inStore()).toHaveLength(1), SOON);
    expect(runs(fleet)).toBe(false);
    await release(...(await inStore()));
    await vi.waitFor(() => expect(runs(fleet)).toBe(true), SOON);
    expect(existsSync(join(path, '..', 'HALT'))).toBe(true);
  });

  it('ends what was released while it was gone, and nothing that the store never heard of', async () => {
    const first = await mirroring();
    await stop('released meanwhile');
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('released meanwhile'), SOON);
    await first.close();
    await release('released meanwhile');
    await haltByFile(path, stopOf('new'));
    await mirroring();
    const fleet = watching();
    await vi.waitFor(() => expect(ids(fleet)).toEqual(['new']), SOON);
    expect(await inStore()).toEqual(['new']);
  });

  it('writes nothing while the store is away, but puts stops beside the file', async () => {
    const { registry } = await mirroring(KEY, 20);
    const fleet = follow(path, { pollMs: 5, maxAgeMs: 400 });
    fleet.feed.start();
    onTestFinished(() => fleet.feed.close());
    await vi.waitFor(() => expect(runs(fleet)).toBe(true), SOON);
    isAway = true;
    await vi.waitFor(() => expect(fleet.feed.refusal?.code).toBe('not-fresh'), SOON);
    const last = sequence();
    registry.arrive({ text: stopText(NAMESPACE, { id: 'provisional' }), signature: null, place: null });
    await vi.waitFor(() => expect(ids(fleet)).toEqual(['provisional']), SOON);
    expect([sequence(), fleet.feed.verified()]).toEqual([last, false]);
    isAway = false;
    await vi.waitFor(async () => expect(await inStore()).toEqual(['provisional']), SOON);
    await vi.waitFor(() => expect(fleet.feed.verified()).toBe(true), SOON);
    expect(runs(fleet)).toBe(false);
  });

  it.each<[string, () => void]>([
    ['removed', () => rmSync(path)],
    ['torn', () => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 80))],
    ['lowered by hand', () => writeFileSync(path, readFileSync(path, 'utf8').replace('"halt_all"', '"disengaged"'))],
  ])('mends a file that is %s, with everything in it that is open', async (_what, harm) => {
    await stop('open');
    await mirroring();
    const fleet = watching();
    await vi.waitFor(() => expect([ids(fleet), fleet.feed.verified()]).toEqual([['open'], true]), SOON);
    const before = sequence();
    harm();
    await vi.waitFor(() => expect(sequence()).toBeGreaterThan(before), SOON);
    await vi.waitFor(() => expect([ids(watching()), fleet.feed.verified()]).toEqual([['open'], true]), SOON);
  });

  it('writes nothing over a file that another key has sealed, and says so once', async () => {
    openSwitch(path).create();
    const text = readFileSync(path, 'utf8');
    const { errors, mirror } = await mirroring('another key, which is long enough');
    await vi.waitFor(() => expect(mirror.status().error).toMatch(/it is not written over: remove it/), SOON);
    await haltByFile(path, stopOf('all the same'));
    await vi.waitFor(async () => expect(await inStore()).toEqual(['all the same']), SOON);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(errors.filter((one) => one.includes('not written over'))).toHaveLength(1);
  });

  it('is one of two at once: they agree, and do not write for ever', async () => {
    await Promise.all([mirroring(), mirroring()]);
    const fleet = watching();
    for (let nth = 0; nth < 10; nth += 1) {
      await stop(`stop-${nth}`);
      if (nth % 2 === 0) await release(`stop-${nth}`);
    }
    await haltByFile(path, stopOf('beside'));
    const open = ['beside', 'stop-1', 'stop-3', 'stop-5', 'stop-7', 'stop-9'];
    await vi.waitFor(async () => expect([ids(fleet), await inStore()]).toEqual([open, open]), SOON);
    let last = 0;
    // Quiet: the same writing at looks that are further apart than what is written together.
    await vi.waitUntil(() => last === (last = sequence()), { timeout: 20_000, interval: 300 });
    await release(...open);
    await vi.waitFor(() => expect(runs(fleet)).toBe(true), SOON);
  });
});
