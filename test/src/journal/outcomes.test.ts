import { describe, expect, it } from 'vitest';
import { OutcomeBuffer } from '../../../src/journal/outcomes.ts';
import type { Outcome } from '../../../src/store/store.ts';
import { Fate } from '../fate.ts';
import { ManualClock, pass, settled } from '../manual-clock.ts';

/** A journal that may be away, or silent, and keeps the first outcome of each intent. */
class Journal {
  mode: 'up' | 'down' | 'silent' = 'up';
  writes = 0;
  largest = 0;
  readonly stored = new Map<number, Outcome>();
  readonly #silent: (() => void)[] = [];

  readonly record = async (_incarnation: string, outcomes: readonly Outcome[]): Promise<void> => {
    this.writes += 1;
    this.largest = Math.max(this.largest, outcomes.length);
    if (this.mode === 'silent') await new Promise<void>((resolve) => this.#silent.push(resolve));
    if (this.mode === 'down') throw new Error('connection refused');
    for (const outcome of outcomes) if (!this.stored.has(outcome.seq)) this.stored.set(outcome.seq, outcome);
  };

  speak(mode: 'up' | 'down'): void {
    this.mode = mode;
    for (const answer of this.#silent.splice(0)) answer();
  }
}

function landed(seq: number): Outcome {
  return { seq, kind: 'landed', detail: null };
}

function rig(limits = { maxKept: 10, maxBatch: 4, retryMs: 100 }): {
  readonly clock: ManualClock;
  readonly journal: Journal;
  readonly buffer: OutcomeBuffer;
} {
  const clock = new ManualClock();
  const journal = new Journal();
  return { clock, journal, buffer: new OutcomeBuffer('i1', journal, clock, limits) };
}

describe('outcomes on their way to the journal', () => {
  it('are written together when they come together, in writes of a bounded size', async () => {
    const { journal, buffer } = rig();
    for (let seq = 1; seq <= 10; seq += 1) buffer.add(landed(seq));
    await settled();
    expect([journal.stored.size, journal.writes, journal.largest, buffer.waiting]).toEqual([10, 3, 4, 0]);
  });

  it('are all written, at whatever moment of an ending write they come', async () => {
    for (let hops = 0; hops < 12; hops += 1) {
      const { journal, buffer } = rig();
      buffer.add(landed(1));
      for (let hop = 0; hop < hops; hop += 1) await Promise.resolve();
      buffer.add(landed(2));
      await settled();
      expect([...journal.stored.keys()], `added after ${hops} microtasks`).toEqual([1, 2]);
    }
  });

  it('are kept while the store is away, and written once it is back', async () => {
    const { clock, journal, buffer } = rig();
    journal.mode = 'down';
    for (let seq = 1; seq <= 3; seq += 1) {
      buffer.add(landed(seq));
      await settled();
    }
    expect(journal.writes, 'no attempt before the pause is over').toBe(1);
    await pass(clock, 300);
    expect([buffer.waiting, journal.writes]).toEqual([3, 4]);
    journal.mode = 'up';
    await pass(clock, 100);
    expect([...journal.stored.keys()]).toEqual([1, 2, 3]);
    expect([buffer.waiting, buffer.dropped, clock.timerCount]).toEqual([0, 0, 0]);
  });

  it('are the same however often they are sent', async () => {
    const { clock, journal, buffer } = rig();
    journal.mode = 'silent';
    buffer.add(landed(1));
    await settled();
    journal.stored.set(1, landed(1));
    journal.speak('down');
    await settled();
    journal.mode = 'up';
    await pass(clock, 100);
    expect([...journal.stored.values()]).toEqual([landed(1)]);
  });

  it('overflow from the oldest, and are counted', async () => {
    const { journal, buffer, clock } = rig();
    journal.mode = 'down';
    for (let seq = 1; seq <= 13; seq += 1) buffer.add(landed(seq));
    expect([buffer.waiting, buffer.dropped]).toEqual([10, 3]);
    journal.mode = 'up';
    await pass(clock, 100);
    expect([...journal.stored.keys()][0]).toBe(4);
  });

  it('are not counted as lost when they overflow while they are being written', async () => {
    const { journal, buffer } = rig();
    journal.mode = 'silent';
    for (let seq = 1; seq <= 4; seq += 1) buffer.add(landed(seq));
    await settled();
    for (let seq = 5; seq <= 14; seq += 1) buffer.add(landed(seq));
    expect(buffer.dropped).toBe(4);
    journal.speak('up');
    await settled();
    expect([journal.stored.size, buffer.dropped, buffer.waiting]).toEqual([14, 0, 0]);
  });
});

describe('a flush', () => {
  it('says true once nothing is left, also after failures', async () => {
    const { clock, journal, buffer } = rig();
    journal.mode = 'down';
    buffer.add(landed(1));
    const flushed = new Fate(buffer.flush(1_000));
    await pass(clock, 250);
    expect(flushed.now).toBe('pending');
    journal.mode = 'up';
    await pass(clock, 100);
    expect(flushed.now).toBe('resolved true');
  });

  it('of nothing is over at once', async () => {
    await expect(rig().buffer.flush(1_000)).resolves.toBe(true);
  });

  it.each(['down', 'silent'] as const)('is over in its time when the store is %s', async (mode) => {
    const { clock, journal, buffer } = rig();
    journal.mode = mode;
    buffer.add(landed(1));
    const flushed = new Fate(buffer.flush(500));
    await pass(clock, 490);
    expect(flushed.now).toBe('pending');
    await pass(clock, 10);
    expect([flushed.now, buffer.waiting]).toEqual(['resolved false', 1]);
  });

  it('tries nothing again once it is closed, though a write was under way', async () => {
    const { clock, journal, buffer } = rig();
    journal.mode = 'silent';
    buffer.add(landed(1));
    await settled();
    buffer.close();
    journal.speak('down');
    await settled();
    expect([clock.timerCount, buffer.waiting]).toEqual([0, 1]);
  });

  it('leaves no timer behind after closing', async () => {
    const { clock, journal, buffer } = rig();
    journal.mode = 'down';
    buffer.add(landed(1));
    await settled();
    buffer.close();
    buffer.add(landed(2));
    await pass(clock, 500);
    expect([journal.writes, clock.timerCount, buffer.waiting]).toEqual([1, 0, 2]);
  });
});
