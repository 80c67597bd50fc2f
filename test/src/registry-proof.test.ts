import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../src/flip-text.ts';
import { signHead } from '../../src/head-signature.ts';
import { Registry } from '../../src/registry.ts';
import { MemoryState } from '../../src/store/memory-state.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { Refusal } from '../../src/flip-proof.ts';
import { newKeys } from './flip-keys.ts';
import type { TestKey } from './flip-keys.ts';
import { releaseText, stopText } from './store/samples.ts';

const NAMESPACE = 'fleet';

function rig() {
  const keys = newKeys();
  const store = new MemoryStore(new MemoryState({ namespace: NAMESPACE }));
  const refusals: Refusal[] = [];
  const start = async (): Promise<Registry> => {
    const registry = new Registry(NAMESPACE, { keys: keys.keys, onRefused: (refusal) => refusals.push(refusal) });
    if (!registry.load(await store.load(registry.proofWanted)))
      expect(registry.load(await store.load('all'))).toBe(true);
    return registry;
  };
  const stop = async (id: string, key: TestKey | null = keys.stopper) => {
    const text = stopText(NAMESPACE, { id });
    return store.flip(text, key?.sign(text) ?? null);
  };
  const release = async (ids: readonly string[], key: TestKey | null, again = false) => {
    const text = releaseText(NAMESPACE, ids);
    return store.flip(text, key?.sign(text) ?? null, { again });
  };
  const follow = async (registry: Registry) => {
    const head = registry.head;
    const answer = head === null ? null : await store.flipsAfter(head);
    if (answer?.kind === 'flips') registry.apply(answer.flips);
    return registry;
  };
  return { ...keys, store, refusals, start, stop, release, follow };
}

function ids(registry: Registry): readonly string[] {
  return registry.openEngagements().map(({ id }) => id);
}

describe('a registry that knows keys', () => {
  test('lets go by a release of somebody who may release, and by no other', async () => {
    const { start, stop, release, follow, stopper, stranger, releaser, refusals } = rig();
    for (const [nth, key] of [null, stranger, stopper].entries()) {
      const id = `e${nth}`;
      await stop(id);
      const registry = await start();
      await release([id], key);
      await follow(registry);
      expect(ids(registry), 'a running process').toContain(id);
      expect(ids(await start()), 'one that starts afterwards').toContain(id);
    }
    expect(refusals).toContainEqual({ what: 'closing', id: 'e2' });
    await stop('e9');
    const registry = await start();
    await release(['e9'], releaser);
    await follow(registry);
    expect(ids(registry)).toEqual(['e0', 'e1', 'e2']);
    expect(ids(await start())).toEqual(['e0', 'e1', 'e2']);
  });

  test('hears later stops after a forged flip in the chain', async () => {
    const { start, stop, release, follow, refusals } = rig();
    const registry = await start();
    await stop('e1');
    await release(['e1'], null);
    await stop('e2');
    await follow(registry);
    expect(registry.head?.revision).toBe(3);
    expect(ids(registry)).toEqual(['e1', 'e2']);
    expect(registry.refused).toMatchObject({ release: 1 });
    expect(refusals).toHaveLength(1);
  });

  test('lets go once a proven release names again what a forged one has closed', async () => {
    const { start, stop, release, follow, releaser } = rig();
    await stop('e1');
    const registry = await start();
    await release(['e1'], null);
    await follow(registry);
    await expect(release(['e1'], releaser)).rejects.toMatchObject({ code: 'ENGAGEMENT_NOT_OPEN' });
    await release(['e1'], releaser, true);
    await follow(registry);
    expect(ids(registry)).toEqual([]);
    expect(ids(await start())).toEqual([]);
  });

  test('enforces a stop of the store’s chain whatever its signature', async () => {
    const { start, stop, follow, stranger } = rig();
    const registry = await start();
    await stop('e1', null);
    await stop('e2', stranger);
    await follow(registry);
    expect(ids(registry)).toEqual(['e1', 'e2']);
    expect(ids(await start())).toEqual(['e1', 'e2']);
  });

  test('enforces an early stop that is signed, or whose path is entitled, and no junk', async () => {
    const { start, stopper, stranger } = rig();
    const registry = await start();
    const text = (id: string) => stopText(NAMESPACE, { id });
    for (const signature of [null, 'junk', stranger.sign(text('e1'))]) {
      expect(registry.arrive({ text: text('e1'), signature, place: null })).toBe(false);
    }
    expect(registry.refused.stop).toBe(3);
    expect(registry.openCount).toBe(0);
    expect(registry.toRelay()).toEqual([]);
    const signed = stopText(NAMESPACE, { id: 'e2' });
    expect(registry.arrive({ text: signed, signature: stopper.sign(signed), place: null })).toBe(true);
    expect(registry.arrive({ text: text('e3'), signature: null, place: null, authority: 'path' })).toBe(true);
    expect(ids(registry)).toEqual(['e2', 'e3']);
  });

  test('keeps an early stop until the store shows the release that closed it', async () => {
    const early = stopText(NAMESPACE, { id: 'e1' });
    for (const isLifted of [false, true]) {
      const { start, store, release, releaser, stopper } = rig();
      const registry = await start();
      registry.arrive({ text: early, signature: stopper.sign(early), place: null });
      await store.relay(early, stopper.sign(early));
      await release(['e1'], isLifted ? releaser : null);
      const { release: _, ...bare } = await store.relay(early, null);
      registry.relayed('e1', bare);
      expect(ids(registry), 'the store’s word alone').toContain('e1');
      registry.relayed('e1', await store.relay(early, null));
      expect(ids(registry).includes('e1')).toBe(!isLifted);
    }
  });

  test('is not rid of a signed stop by another text under its id', async () => {
    const { start, store, stopper, follow } = rig();
    const [registry, late] = [await start(), await start()];
    const genuine = stopText(NAMESPACE, { id: 'e1', mode: 'emergency' });
    const mild = stopText(NAMESPACE, { id: 'e1', scope: 'run', target: 'r1', mode: 'halt_noncritical' });
    const arrived = { text: genuine, signature: stopper.sign(genuine), place: null };
    registry.arrive(arrived);
    await store.relay(mild, 'junk');
    for (const one of [registry, late]) await follow(one);
    late.arrive(arrived);
    for (const one of [registry, late]) {
      expect(one.openEngagements()).toMatchObject([{ id: 'e1', mode: 'emergency' }]);
      one.load(await store.load('signed'));
      expect(one.openEngagements()).toMatchObject([{ id: 'e1', mode: 'emergency' }]);
    }
  });

  test('believes a signed head, and looks at what came after it only', async () => {
    const { start, stop, release, store, releaser, stopper } = rig();
    await stop('old');
    await release(['old'], null); // of before there were keys
    const { head } = await store.load();
    expect(ids(await start())).toEqual(['old']);
    await store.audit().signHead({ ...head, signature: 'junk' });
    expect(ids(await start()), 'junk vouches for nothing').toEqual(['old']);
    await stop('new');
    const { head: later } = await store.load();
    await store.audit().signHead(signHead(NAMESPACE, later, stopper.sign));
    expect(ids(await start()), 'nor does who may only stop').toEqual(['new', 'old']);
    await stop('newer');
    const { head: last } = await store.load();
    await store.audit().signHead(signHead(NAMESPACE, last, releaser.sign));
    await release(['new'], null);
    expect(ids(await start())).toEqual(['newer', 'new']);
  });

  test('is not moved by a release that was replayed, or is of another namespace', async () => {
    const { start, stop, release, follow, store, releaser, refusals } = rig();
    await stop('e1');
    const { record } = await release(['e1'], releaser);
    await stop('e2');
    const registry = await start();
    registry.arrive({ text: record.text, signature: record.signature, place: record });
    expect(registry.apply([record])).toMatchObject({ kind: 'applied', releases: 0 });
    await store.flip(record.text, record.signature);
    await follow(registry);
    expect(ids(registry)).toEqual(['e2']);
    const foreign = canonicalText({ ...JSON.parse(releaseText('other', ['e2'])) });
    expect(() => registry.arrive({ text: foreign, signature: releaser.sign(foreign), place: null })).toThrow(
      /namespace/,
    );
    expect(refusals).toContainEqual(expect.objectContaining({ what: 'foreign' }));
    expect(ids(registry)).toEqual(['e2']);
  });
});
