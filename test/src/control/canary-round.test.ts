import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { CANARY } from '../../../src/control/canary-check.ts';
import { isProof, lastProvenMs, releaseCanaries } from '../../../src/control/canary.ts';
import { canaryRound, hasLeftCanary } from '../../../src/control/canary-round.ts';
import type { RoundParts } from '../../../src/control/canary-round.ts';
import { Runtime } from '../../../src/runtime.ts';
import { memoryCanaryTurns } from '../../../src/store/memory-canary.ts';
import { memoryEffectiveness, memoryReports } from '../../../src/store/memory-effectiveness.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { stopText } from '../store/samples.ts';

const namespace = 'ns';
const open: Runtime[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((runtime) => runtime.close()));
});

async function fleetOf(...names: readonly string[]): Promise<MemoryState> {
  const state = new MemoryState({ namespace });
  for (const name of names) {
    const store = new MemoryStore(state);
    const ports = { source: store, fence: store, outcomes: store, tasks: store, reports: memoryReports(state) };
    const identity = { namespace, incarnation: `${name}-1`, worker: name };
    const runtime = new Runtime({ ...ports, close: () => Promise.resolve() }, identity);
    open.push(runtime);
    await runtime.ready(5_000);
  }
  return state;
}

function partsOn(state: MemoryState): RoundParts {
  const parts = { namespace, flips: new MemoryStore(state), clock: systemClock, newId: state.newId, sign: null };
  return { ...parts, fleet: memoryEffectiveness(state), turns: memoryCanaryTurns(state), by: 'here', withinMs: 10_000 };
}

const openIds = (state: MemoryState): readonly string[] =>
  state.engagements.filter(({ closedRevision }) => closedRevision === null).map(({ id }) => id);

describe('a round of the canary', () => {
  test('is flown once by two who ask at once, and leaves nothing open', async () => {
    const state = await fleetOf('a', 'b');
    const rounds = await Promise.all([canaryRound(partsOn(state), 0), canaryRound(partsOn(state), 0)]);
    expect(rounds.map(({ kind }) => kind).toSorted()).toEqual(['flown', 'taken']);
    expect(rounds.find(({ kind }) => kind === 'flown')).toMatchObject({ result: { refused: ['a', 'b'], silent: [] } });
    expect([state.flips.length, openIds(state)]).toEqual([2, []]);
    expect(await canaryRound(partsOn(state), 60_000)).toMatchObject({ kind: 'early' });
    expect(await canaryRound(partsOn(state), 0)).toMatchObject({ kind: 'flown' });
  });

  test('first releases what one that was cut off has left, which would hide it', async () => {
    const state = await fleetOf('a');
    await new MemoryStore(state).flip(stopText(namespace, { ...CANARY, id: 'left', source: 'canary' }), null);
    expect(await hasLeftCanary(new MemoryStore(state))).toBe(true);
    expect(await canaryRound(partsOn(state), 0)).toMatchObject({ kind: 'flown', result: { refused: ['a'] } });
    expect(openIds(state)).toEqual([]);
    expect(await hasLeftCanary(new MemoryStore(state))).toBe(false);
  });

  test.each([
    [{ scope: 'global', target: '*' }],
    [{ scope: 'capability', target: 'read/*' }],
    [{ ...CANARY, source: 'by hand' }],
    [{ scope: 'global', target: '*', mode: 'emergency' }],
  ] as const)('is not flown behind a stop that gates would name for it: %j', async (stop) => {
    const state = await fleetOf('a');
    await new MemoryStore(state).flip(stopText(namespace, { ...stop, id: 'wider' }), null);
    expect(await canaryRound(partsOn(state), 0)).toEqual({ kind: 'covered', by: ['wider'] });
    expect(openIds(state)).toEqual(['wider']);
  });

  test('is flown beside stops that are not about it, and beside a milder one', async () => {
    const state = await fleetOf('a');
    const flips = new MemoryStore(state);
    await flips.flip(stopText(namespace, { id: 'tenant', scope: 'tenant', target: 'acme' }), null);
    await flips.flip(stopText(namespace, { id: 'mild', mode: 'halt_noncritical', queue: 'park' }), null);
    expect(await canaryRound(partsOn(state), 0)).toMatchObject({ kind: 'flown', result: { refused: ['a'] } });
    expect(openIds(state)).toEqual(['tenant', 'mild']);
  });

  test('gives its turn back when the store takes nothing, and flies none when it took too long', async () => {
    const state = await fleetOf('a');
    const parts = partsOn(state);
    const openEngagements = () => Promise.reject(new Error('away'));
    const flip: RoundParts['flips']['flip'] = (...flip) => parts.flips.flip(...flip);
    await expect(canaryRound({ ...parts, flips: { flip, openEngagements } }, 0)).rejects.toThrow('away');
    await expect(canaryRound({ ...parts, storeMs: -1 }, 0)).rejects.toMatchObject({ code: 'CANARY_LATE' });
    expect(state.flips).toHaveLength(0);
    expect(await canaryRound(parts, 0)).toMatchObject({ kind: 'flown' });
  });

  test.each([
    ['is gone, apart from those that are silent', {}, null, { silent: [], gone: ['b'], short: [] }, true],
    [
      'is gone and should be there, so that nothing is proven',
      {},
      { default: 2 },
      { silent: [], gone: ['b'], short: ["pool 'default' has 1 of 2 workers"] },
      false,
    ],
    ['sends without reporting: it is not gone', { admittedAgoMs: 10 }, null, { silent: ['b'], gone: [] }, false],
    ['was started anew: it is there', { worker: 'a' }, { default: 1 }, { silent: [], gone: [], short: [] }, true],
  ])('names a worker of which no report comes any more: one that %s', async (_, more, pools, found, isProven) => {
    const state = await fleetOf('a');
    const parts = { ...partsOn(state), withinMs: 200 };
    const inventory = pools === null ? null : { pools, closed: true };
    const fleet = {
      fleet: async () => {
        const facts = await parts.fleet.fleet();
        const [first] = facts.workers;
        if (first === undefined) return facts;
        const lost = { ...first, worker: 'b', reportedAgoMs: 60_000, canary: null, ...more };
        return { ...facts, inventory, workers: [...facts.workers, lost] };
      },
    };
    await vi.waitFor(
      async () => {
        const round = await canaryRound({ ...parts, fleet }, 0);
        expect(round).toMatchObject({ result: { refused: ['a'], ...found } });
        expect(round.kind === 'flown' && isProof(round.result)).toBe(isProven);
        expect(lastProvenMs(await fleet.fleet())).toEqual(isProven ? expect.any(Number) : null);
      },
      { timeout: 30_000 },
    );
  });

  test('takes a canary that somebody else has released for released', async () => {
    const state = await fleetOf();
    expect(await releaseCanaries(partsOn(state), ['nobody-knows-it'])).toBeNull();
    expect(state.flips).toHaveLength(0);
  });
});
