import { describe, expect, test, vi } from 'vitest';
import { memoryCanaryTurns } from '../../../src/store/memory-canary.ts';
import { memoryEffectiveness, memoryReports } from '../../../src/store/memory-effectiveness.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { MemoryHooks, StoreOperation } from '../../../src/store/memory.ts';
import { describeStoreContract } from './contract.ts';
import type { StoreHandles } from './contract/world.ts';
import { ManualClock } from '../manual-clock.ts';
import { SOMEBODY, releaseText, sampleContract, sampleIntent, sampleTask, stopText } from './samples.ts';

function handles(store: MemoryStore, state: MemoryState): StoreHandles {
  return {
    ...{ flips: store, fence: store, outcomes: store, tasks: store, control: store, operator: store },
    audit: store.audit(),
    ...{ reports: memoryReports(state), effectiveness: memoryEffectiveness(state), canaries: memoryCanaryTurns(state) },
    close: async () => undefined,
  };
}

describeStoreContract('memory', async () => ({
  openWorld: async (namespace) => {
    const state = new MemoryState({ namespace });
    return { open: async (options) => handles(new MemoryStore(state, {}, options?.minimumAgeMs), state) };
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

  test('keeps on record what an operator asked for, also when it is refused', async () => {
    const state = new MemoryState({ namespace });
    const store = new MemoryStore(state);
    await store.declareContract(sampleContract(), SOMEBODY);
    await store.flip(stopText(namespace, { id: 'a' }), null);
    await expect(store.flip(releaseText(namespace, ['a']), null)).rejects.toMatchObject({ code: 'RELEASE_NOT_GREEN' });
    await store.flip(releaseText(namespace, ['a']), null, { evenIfRed: 'a false alarm' });
    const refused = store.resume({ kind: 'runs', runs: ['r'] }, { kind: 'at-once' }, SOMEBODY);
    await expect(refused).rejects.toMatchObject({ code: 'RUN_NOT_STOPPED' });
    await expect(
      store.admitCompensation({ incarnation: 'me', seq: 1 }, 'write/refund', SOMEBODY),
    ).rejects.toMatchObject({ code: 'LEDGER_ENTRY_UNKNOWN' });
    expect(state.actions.map(({ kind, asker, refusal }) => [kind, asker.reason, refusal === null])).toEqual([
      ['contract', SOMEBODY.reason, true],
      ['red-release', 'rolled back', false],
      ['red-release', 'a false alarm', true],
      ['resume', SOMEBODY.reason, false],
      ['compensate', SOMEBODY.reason, false],
    ]);
  });

  test('moves a parked task by as long as it was parked, by its own clock', async () => {
    const clock = new ManualClock();
    const state = new MemoryState({ namespace, clock });
    const store = new MemoryStore(state);
    await store.enqueue(state.head, [sampleTask('t', { due: { kind: 'in', ms: 300 }, pastDue: 'shift' })]);
    await store.flip(stopText(namespace, { id: 'a', queue: 'park' }), null);
    clock.advance(100);
    await store.sweep(10);
    clock.advance(1_000);
    await store.flip(releaseText(namespace, ['a']), null);
    await store.sweep(10);
    clock.advance(199);
    expect(await store.claim('me', 1, 1_000)).toEqual([]);
    clock.advance(1);
    expect(await store.claim('me', 1, 1_000)).toMatchObject([{ id: 't' }]);
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
