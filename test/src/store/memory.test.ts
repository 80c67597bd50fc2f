import { describe, expect, test, vi } from 'vitest';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { MemoryHooks, StoreOperation } from '../../../src/store/memory.ts';
import { describeStoreContract } from './contract.ts';
import type { StoreHandles } from './contract/world.ts';
import { sampleIntent, stopText } from './samples.ts';

function handles(store: MemoryStore): StoreHandles {
  return { flips: store, fence: store, outcomes: store, tasks: store, control: store, close: async () => undefined };
}

describeStoreContract('memory', async () => ({
  openWorld: async (namespace) => {
    const state = new MemoryState({ namespace });
    return { open: async (options) => handles(new MemoryStore(state, {}, options?.minimumAgeMs)) };
  },
  close: async () => undefined,
}));

describe('the memory store', () => {
  const namespace = 'ns';

  test("lets a test put a stop between a batch's sending and its arrival", async () => {
    const state = new MemoryState({ namespace });
    const control = new MemoryStore(state);
    const before = async (operation: StoreOperation) => {
      if (operation === 'admitIntents') await control.flip(stopText(namespace), null);
    };
    const worker = new MemoryStore(state, { before });
    const { head } = await worker.load();
    expect(await worker.admitIntents('me', head, [sampleIntent(1)])).toMatchObject({ kind: 'stale' });
    expect(state.intents.size).toBe(0);
  });

  test('lets a test lose an answer after the store did what was asked', async () => {
    const state = new MemoryState({ namespace });
    const lose: MemoryHooks = {
      after: () => {
        throw new Error('cut');
      },
    };
    await expect(new MemoryStore(state, lose).flip(stopText(namespace), null)).rejects.toThrow('cut');
    expect(state.head.revision).toBe(1);
  });

  test('is young again after a restart, and keeps what it had', async () => {
    let nowMs = 0;
    const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs, after: () => () => undefined };
    const state = new MemoryState({ namespace, clock });
    const store = new MemoryStore(state);
    const lost = vi.fn();
    await store.listen(() => undefined, lost);
    await store.flip(stopText(namespace), null);
    state.restart();
    expect(lost).toHaveBeenCalledOnce();
    const { head, ageMs, open } = await store.load();
    expect([ageMs, open.length]).toEqual([0, 1]);
    nowMs = 599;
    expect(await store.admitIntents('me', head, [sampleIntent(1)])).toMatchObject({ kind: 'young' });
    nowMs = 600;
    expect(await store.admitIntents('me', head, [sampleIntent(1)])).toMatchObject({ kind: 'admitted' });
  });

  test('loses a listener that throws, and tells the others', async () => {
    const store = new MemoryStore(new MemoryState({ namespace }));
    const [heard, lost] = [vi.fn(), vi.fn()];
    const fail = () => {
      throw new Error('broken');
    };
    await store.listen(fail, lost);
    await store.listen(heard, lost);
    await store.flip(stopText(namespace), null);
    expect(heard).toHaveBeenCalledOnce();
    expect(lost).toHaveBeenCalledOnce();
  });
});
