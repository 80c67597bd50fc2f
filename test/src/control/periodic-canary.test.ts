import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { CANARY } from '../../../src/control/canary-check.ts';
import { PeriodicCanary } from '../../../src/control/periodic-canary.ts';
import type { PeriodicParts } from '../../../src/control/periodic-canary.ts';
import { ProvenAge } from '../../../src/control/proven-age.ts';
import type { Decider } from '../../../src/decider.ts';
import { Runtime } from '../../../src/runtime.ts';
import { memoryCanaryTurns } from '../../../src/store/memory-canary.ts';
import { memoryEffectiveness, memoryReports } from '../../../src/store/memory-effectiveness.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { stopText } from '../store/samples.ts';

const namespace = 'ns';
const WAIT = { timeout: 30_000, interval: 10 };
const HOUR_MS = 3_600_000;
const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

async function addWorker(state: MemoryState, name: string, decider?: (genuine: Decider) => Decider): Promise<void> {
  const store = new MemoryStore(state);
  const ports = { source: store, fence: store, outcomes: store, tasks: store, reports: memoryReports(state) };
  const identity = { namespace, incarnation: `${name}-1`, worker: name };
  const runtime = new Runtime(
    { ...ports, close: () => Promise.resolve() },
    { ...identity, ...(decider === undefined ? {} : { decider }) },
  );
  opened.push(runtime);
  await runtime.ready(5_000);
}

/** Decides like a gate that stops nobody. */
const deaf = (genuine: Decider): Decider => ({ version: 1, stopFor: () => null, verified: () => genuine.verified() });

function canaryOn(state: MemoryState, parts: Partial<PeriodicParts> = {}): PeriodicCanary {
  const canary = new PeriodicCanary({
    ...{ namespace, flips: new MemoryStore(state), fleet: memoryEffectiveness(state) },
    ...{ turns: memoryCanaryTurns(state), clock: systemClock, newId: state.newId, by: 'here', sign: null },
    ...{ everyMs: HOUR_MS, withinMs: 20_000, ...parts },
  });
  opened.push(canary);
  canary.start();
  return canary;
}

const openIds = (state: MemoryState): readonly string[] =>
  state.engagements.filter(({ closedRevision }) => closedRevision === null).map(({ id }) => id);

describe('a periodic canary', () => {
  test('is flown at the start, and again after its interval', async () => {
    const state = new MemoryState({ namespace });
    await addWorker(state, 'a');
    const canary = canaryOn(state, { everyMs: 20 });
    expect(canary.status()).toMatchObject({ everyMs: 20, rounds: { proven: 0, failed: 0 }, last: null });
    await vi.waitUntil(() => canary.status().rounds.proven >= 3, WAIT);
    expect(canary.status().last).toMatchObject({ outcome: 'proven', refused: 1, silent: [], gone: [], why: null });
    await canary.close();
    expect([openIds(state), state.flips.length % 2]).toEqual([[], 0]);
    expect(await new ProvenAge(memoryEffectiveness(state), systemClock).ask()).toEqual(expect.any(Number));
  });

  test('is flown by one of two processes within an interval', async () => {
    const state = new MemoryState({ namespace });
    await addWorker(state, 'a');
    const [one, other] = [canaryOn(state), canaryOn(state)];
    const proven = (): number => one.status().rounds.proven + other.status().rounds.proven;
    await vi.waitUntil(() => proven() === 1, WAIT);
    await Promise.all([one.close(), other.close()]);
    const third = canaryOn(state);
    await third.close();
    expect([proven() + third.status().rounds.proven, state.flips.length]).toEqual([1, 2]);
  });

  test('is not taken for one that was left, by a process that starts while another flies it', async () => {
    const state = new MemoryState({ namespace });
    await addWorker(state, 'b', deaf);
    const one = canaryOn(state, { withinMs: 300 });
    await vi.waitUntil(() => openIds(state).length === 1, WAIT);
    const [flips, turns] = [new MemoryStore(state), memoryCanaryTurns(state)];
    const answers: string[] = [];
    const other = canaryOn(state, {
      flips: {
        flip: (...given) => flips.flip(...given),
        openEngagements: async () => {
          const seen = await flips.openEngagements();
          await vi.waitUntil(() => one.status().rounds.silent === 1, WAIT);
          return seen;
        },
      },
      turns: {
        end: (token) => turns.end(token),
        take: async (wanted) => {
          const turn = await turns.take(wanted);
          answers.push(turn.kind);
          return turn;
        },
      },
    });
    await vi.waitUntil(() => answers.length > 0, WAIT);
    await other.close();
    expect([answers, state.flips.length]).toEqual([['early'], 2]);
  });

  test('names who has not refused it, and says so in the log', async () => {
    const state = new MemoryState({ namespace });
    await addWorker(state, 'a');
    await addWorker(state, 'b', deaf);
    const said: string[] = [];
    const canary = canaryOn(state, { withinMs: 500, onError: ({ message }) => said.push(message) });
    await vi.waitUntil(() => canary.status().last !== null, WAIT);
    expect(canary.status()).toMatchObject({ rounds: { silent: 1 }, last: { refused: 1, silent: ['b'] } });
    expect(said).toEqual(['workers that have not refused the canary: b']);
    expect(openIds(state)).toEqual([]);
  });

  test('is released at once when the process ends in the midst of it', async () => {
    const state = new MemoryState({ namespace });
    await addWorker(state, 'b', deaf);
    const canary = canaryOn(state, { withinMs: HOUR_MS });
    await vi.waitUntil(() => openIds(state).length === 1, WAIT);
    await canary.close();
    expect([openIds(state), canary.status().rounds.silent]).toEqual([[], 0]);
  });

  test('begins with what a life before it has left open, however early that is', async () => {
    const state = new MemoryState({ namespace });
    await addWorker(state, 'a');
    const turns = memoryCanaryTurns(state);
    await turns.take({ token: 'dead', by: 'dead', termMs: 1, everyMs: 0 });
    await new MemoryStore(state).flip(stopText(namespace, { ...CANARY, id: 'left', source: 'canary' }), null);
    const canary = canaryOn(state, { withinMs: 1_000, storeMs: 2_000 });
    await vi.waitUntil(() => canary.status().rounds.proven === 1, WAIT);
    expect(openIds(state)).toEqual([]);
  });

  test('counts what it could not do, and goes on', async () => {
    const state = new MemoryState({ namespace });
    const flips = new MemoryStore(state);
    let asked = 0;
    const openEngagements = async () => {
      asked += 1;
      if (asked <= 2) throw new Error('away');
      return flips.openEngagements();
    };
    const flip: PeriodicParts['flips']['flip'] = (...given) => flips.flip(...given);
    const canary = canaryOn(state, { flips: { flip, openEngagements }, everyMs: 20 });
    await vi.waitUntil(() => canary.status().rounds.nobody > 0, WAIT);
    expect(canary.status().rounds.failed).toBe(2);
    await flips.flip(stopText(namespace), null);
    await vi.waitUntil(() => canary.status().rounds.covered > 0, WAIT);
    expect(canary.status().last).toMatchObject({ outcome: 'covered', why: expect.stringContaining('stopped already') });
  });
});

describe('the age of the last proof', () => {
  test('is what was last heard while the store does not answer', async () => {
    const state = new MemoryState({ namespace });
    await addWorker(state, 'a');
    const canary = canaryOn(state);
    await vi.waitUntil(() => canary.status().rounds.proven === 1, WAIT);
    const fleet = memoryEffectiveness(state);
    let isAway = false;
    const age = new ProvenAge({ fleet: () => (isAway ? new Promise(() => undefined) : fleet.fleet()) }, systemClock);
    expect(age.known()).toBeNull();
    const first = await age.ask();
    expect(first).toEqual(expect.any(Number));
    isAway = true;
    expect(await age.ask()).toBeGreaterThan(first ?? 0);
  });
});
