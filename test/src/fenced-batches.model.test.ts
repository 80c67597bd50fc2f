import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { haltedByOperator } from '../../src/decider.ts';
import { FencedBatches } from '../../src/fenced-batches.ts';
import type { FencedTraffic } from '../../src/fenced-batches.ts';
import { engagementOf } from '../../src/flip-text.ts';
import { Lease } from '../../src/lease.ts';
import { Registry } from '../../src/registry.ts';
import type { HaltedError } from '../../src/halted-error.ts';
import type { FenceAnswer } from '../../src/store/store.ts';
import { ChainStore, NAMESPACE, stopFlip } from './chain-store.ts';
import { BatchWorld, actions } from './fenced-batches.model.ts';
import type { BatchFlaw } from './fenced-batches.model.ts';
import { Fate } from './fate.ts';
import { ManualClock, settled } from './manual-clock.ts';
import { counterexampleOf } from './planted-bug.ts';

async function model(flaw: BatchFlaw, numRuns: number): Promise<number> {
  let admitted = 0;
  await fc.assert(
    fc.asyncProperty(actions, async (steps) => {
      const world = new BatchWorld(flaw);
      for (const step of steps) {
        await world.act(step);
        expect(world.wrong()).toBeNull();
      }
      admitted += world.admitted;
      expect(await world.quiet()).toBeNull();
      expect(world.wrong()).toBeNull();
    }),
    { numRuns },
  );
  return admitted;
}

describe('batches through the fence, however flips, answers and faults interleave', () => {
  it('get nothing in behind a stop, send no id twice, decide again when sent, and flow again after quiet', async () => {
    expect(await model('none', 400), 'a model in which nothing gets in proves nothing').toBeGreaterThan(100);
  });

  it.each<[BatchFlaw, RegExp]>([
    ['decided when queued, not when sent', /got in behind a stop/],
    ['decided in one tick, head read in a later one', /got in behind a stop/],
    ['an unanswered batch is sent again under the same ids', /was sent twice/],
    ['compares by revision number only', /got in behind a stop|nobody gets in any more/],
  ])('are found out where the wording is: %s', async (flaw, symptom) => {
    expect(await counterexampleOf(() => model(flaw, 5_000))).toMatch(symptom);
  });
});

interface Rig {
  readonly batches: FencedBatches<number, number>;
  readonly store: ChainStore;
  readonly registry: Registry;
  readonly lease: Lease;
  readonly clock: ManualClock;
  readonly sent: (readonly number[])[];
  readonly givenUp: number[];
  readonly divergedCount: () => number;
  answerNext: (answer: FenceAnswer | Error) => Promise<void>;
}

function rig(
  traffic: Partial<FencedTraffic<number, number>> = {},
  limits = { maxBatch: 3, maxBatchLength: 100, maxWaiting: 4, maxRounds: 2 },
): Rig {
  const clock = new ManualClock();
  const store = new ChainStore();
  const registry = new Registry(NAMESPACE);
  const lease = new Lease(clock);
  registry.load(store.load());
  lease.renew(lease.asked(), store.load());
  const sent: (readonly number[])[] = [];
  const givenUp: number[] = [];
  let diverged = 0;
  let answer: (answer: FenceAnswer | Error) => void = () => undefined;
  const send = (_head: unknown, items: readonly number[]): Promise<FenceAnswer> => {
    sent.push(items);
    return new Promise((resolve, reject) => {
      answer = (one) => (one instanceof Error ? reject(one) : resolve(one));
    });
  };
  const batches = new FencedBatches<number, number>(
    { registry, lease, diverged: () => (diverged += 1) },
    {
      ...{ send, lengthOf: () => 1, admitted: (item) => item, disowned: () => false },
      ...{ givenUp: (items) => givenUp.push(...items) },
      ...traffic,
    },
    limits,
  );
  const answerNext = async (one: FenceAnswer | Error): Promise<void> => {
    answer(one);
    await settled();
  };
  return { batches, store, registry, lease, clock, sent, givenUp, divergedCount: () => diverged, answerNext };
}

function wanted(
  batches: FencedBatches<number, number>,
  make: () => number,
  refusal: () => HaltedError | null = () => null,
): Fate {
  return new Fate(batches.admit('a', make, refusal));
}

/** What became of it once everything has run that can. */
async function fateOf(fate: Fate): Promise<string> {
  await settled();
  return fate.now;
}

describe('a batch', () => {
  it('carries what came in one tick, one batch at a time, and no more than its size', async () => {
    const { batches, store, sent, answerNext } = rig();
    const all = [1, 2, 3, 4].map((item) => wanted(batches, () => item));
    await settled();
    expect(sent).toEqual([[1, 2, 3]]);
    await answerNext(store.fence(store.head));
    expect(sent).toEqual([[1, 2, 3], [4]]);
    await answerNext(store.fence(store.head));
    expect(all.map(({ now }) => now)).toEqual(['resolved 1', 'resolved 2', 'resolved 3', 'resolved 4']);
    await batches.idle();
  });

  it('takes no more once what it carries is long, and one at least, however long that is', async () => {
    const { batches, store, sent, answerNext } = rig({ lengthOf: (item) => item });
    for (const item of [60, 40, 1, 500]) wanted(batches, () => item);
    await settled();
    await answerNext(store.fence(store.head));
    wanted(batches, () => 2);
    await answerNext(store.fence(store.head));
    await answerNext(store.fence(store.head));
    expect(sent).toEqual([[60, 40], [1, 500], [2]]);
  });

  it('is not idle while something waits', async () => {
    const { batches, store, answerNext } = rig();
    for (const item of [1, 2, 3, 4]) wanted(batches, () => item);
    const idle = new Fate(batches.idle());
    await settled();
    await answerNext(store.fence(store.head));
    expect(await fateOf(idle)).toBe('pending');
    await answerNext(store.fence(store.head));
    expect(await fateOf(idle)).toBe('resolved undefined');
  });

  it('leaves out whom a stop has reached while he waited, and sends the others', async () => {
    const { batches, store, sent, answerNext } = rig();
    let stopped = false;
    const refusal = haltedByOperator('b', { engagement: engagementOf(stopFlip('e1')), revision: 1 });
    const first = wanted(batches, () => 1);
    await settled();
    const late = wanted(
      batches,
      () => 2,
      () => (stopped ? refusal : null),
    );
    const other = wanted(batches, () => 3);
    stopped = true;
    await answerNext(store.fence(store.head));
    expect(late.error).toBe(refusal);
    expect(sent).toEqual([[1], [3]]);
    await answerNext(store.fence(store.head));
    expect([first.now, other.now]).toEqual(['resolved 1', 'resolved 3']);
  });

  it('refuses one that waits beyond the limit', async () => {
    const { batches } = rig();
    const all = [1, 2, 3, 4, 5].map((item) => wanted(batches, () => item));
    expect(await fateOf(all[4]!)).toMatch(/4 effects wait for the store already/);
    expect(await fateOf(all[3]!)).toBe('pending');
  });

  it('is given up without an answer: nobody is admitted, and the ids are reported once', async () => {
    const { batches, sent, givenUp, answerNext } = rig();
    const one = wanted(batches, () => 7);
    await settled();
    await answerNext(new Error('connection reset'));
    expect(await fateOf(one)).toMatch(/connection reset/);
    expect(givenUp).toEqual([7]);
    expect(sent).toEqual([[7]]);
  });

  it.each([null, undefined, {}, { kind: 'perhaps' }, { kind: 'admitted' }, { kind: 'stale' }])(
    'lets nobody in on the junk answer %j, and goes on',
    async (junk) => {
      const { batches, store, answerNext } = rig({
        disowned: (item, answer) => answer.kind === 'admitted' && answer.disowned.includes(item),
      });
      const one = wanted(batches, () => 1);
      await settled();
      for (let round = 0; round < 4; round += 1) await answerNext(junk as unknown as FenceAnswer);
      expect(await fateOf(one)).toMatch(/^rejected/);
      const two = wanted(batches, () => 2);
      await settled();
      await answerNext(store.fence(store.head));
      expect(await fateOf(two)).toBe('resolved 2');
    },
  );

  it('survives a store that throws instead of rejecting', async () => {
    const { batches } = rig({
      send: () => {
        throw new Error('not even a promise');
      },
    });
    expect(await fateOf(wanted(batches, () => 1))).toMatch(/not even a promise/);
    expect(await fateOf(wanted(batches, () => 2))).toMatch(/not even a promise/);
  });

  it('rejects the one whose check throws, and carries the others', async () => {
    const { batches, store, answerNext } = rig();
    const broken = wanted(
      batches,
      () => 1,
      () => {
        throw new Error('a broken check');
      },
    );
    const sound = wanted(batches, () => 2);
    expect(await fateOf(broken)).toBe('rejected a broken check');
    await answerNext(store.fence(store.head));
    expect(await fateOf(sound)).toBe('resolved 2');
  });

  it('goes round on stale with the flips applied, and is refused when it cannot keep up', async () => {
    const { batches, store, registry, sent, answerNext } = rig();
    let made = 0;
    const one = wanted(batches, () => (made += 1));
    await settled();
    for (let round = 0; round < 3; round += 1) {
      const before = store.head;
      store.commit(stopFlip(`e${round}`, { scope: 'agent', target: 'nobody' }));
      await answerNext(store.fence(before));
      expect(registry.head).toEqual(store.head);
    }
    expect(await fateOf(one)).toMatch(/cannot keep up/);
    expect(sent).toEqual([[1], [2], [3]]);
  });

  it('revokes the lease and asks for a reload when histories diverge, or a flip cannot be read', async () => {
    const { batches, store, lease, divergedCount, answerNext } = rig();
    const one = wanted(batches, () => 1);
    await settled();
    await answerNext({ kind: 'diverged', head: store.head, ageMs: store.ageMs });
    expect(divergedCount()).toBe(1);
    expect(lease.held()).toBe(false);
    lease.renew(lease.asked(), store.load());
    store.commit({ ...stopFlip('e1'), reason: 7 as unknown as string });
    await answerNext({ kind: 'stale', head: store.head, ageMs: store.ageMs, flips: store.flips });
    expect(divergedCount()).toBe(2);
    expect(lease.held()).toBe(false);
    expect(await fateOf(one)).toBe('pending');
  });

  it('does not renew the lease by a stale answer whose flips do not reach the head that it names', async () => {
    const { batches, store, lease, clock, answerNext } = rig();
    clock.block(1_000);
    wanted(batches, () => 1);
    await settled();
    for (const id of ['e1', 'e2']) store.commit(stopFlip(id, { scope: 'agent', target: 'nobody' }));
    const deadlineMs = lease.deadlineMs;
    await answerNext({ kind: 'stale', head: store.head, ageMs: store.ageMs, flips: store.flips.slice(1) });
    expect(lease.deadlineMs).toBe(deadlineMs);
    await answerNext({ kind: 'stale', head: store.head, ageMs: store.ageMs, flips: store.flips });
    expect(lease.deadlineMs).toBe(clock.monotonicMs() + lease.leaseMs);
  });

  it('gives no lease and admits nobody while the store is young', async () => {
    const { batches, store, lease, clock, answerNext } = rig();
    clock.block(1_000);
    const deadlineMs = lease.deadlineMs;
    const one = wanted(batches, () => 1);
    await settled();
    await answerNext({ kind: 'young', head: store.head, ageMs: 5_000 });
    expect(await fateOf(one)).toMatch(/too recently/);
    expect(lease.deadlineMs).toBe(deadlineMs);
  });
});
