import { describe, expect, test } from 'vitest';
import { EffectivenessWatch } from '../../../src/control/effectiveness-watch.ts';
import { stopState } from '../../../src/control/effectiveness.ts';
import type { StopState } from '../../../src/control/effectiveness.ts';
import type { OpenIntent, RegisteredWorker, StopFacts } from '../../../src/store/effectiveness-port.ts';
import { ManualClock, pass } from '../manual-clock.ts';

function worker(name: string, parts: Partial<RegisteredWorker> = {}): RegisteredWorker {
  return {
    ...{
      worker: name,
      incarnation: `${name}-1`,
      pool: 'mail',
      version: null,
      leaseMs: 1_200,
      longestDeadlineMs: 2_000,
    },
    ...{
      registeredAgoMs: 9_000,
      reportedAgoMs: 10,
      admittedAgoMs: null,
      appliedThrough: 7,
      busy: [],
      inFlight: 0,
      canary: null,
    },
    ...parts,
  };
}

function facts(parts: Partial<StopFacts> = {}): StopFacts {
  return {
    stop: { id: 's', revision: 7, scope: 'global', target: '*', mode: 'halt_all', drains: false, closedRevision: null },
    head: { epoch: 'e', revision: 7, hash: 'h' },
    inventory: { pools: { mail: 2 }, closed: true },
    workers: [worker('a'), worker('b')],
    ...{ elsewhere: [], openIntents: [], unread: [] },
    ...parts,
  };
}

const OPEN: OpenIntent = {
  ...{ incarnation: 'b-1', seq: 1, run: 'r', capability: 'write/mail', deadlineMs: 500 },
  isPastDeadline: false,
};
const after = (ms: number) => ({ durableSeenMs: 1_000, askedMs: 1_000 + ms });
const states = ({ workers }: StopState): readonly string[] => workers.map(({ state }) => state);

describe('a stop', () => {
  test('is effective at once when a closed inventory has confirmed it', () => {
    const state = stopState(facts(), after(0));
    expect(state).toMatchObject({ state: 'effective', missing: [], unaccounted: [] });
    expect(state.excepted).toContain('journal-free reads excepted');
  });

  test('waits for processes that nobody listed, unless the inventory is closed to them', () => {
    const open = facts({ inventory: { pools: { mail: 2 }, closed: false } });
    expect(stopState(open, after(3_999)).state).toBe('pending');
    expect(stopState(open, after(4_000)).state).toBe('effective');
    const other = facts({ workers: [worker('a'), worker('b'), worker('c', { pool: 'unheard of' })] });
    expect(stopState(other, after(3_999)).state).toBe('pending');
  });

  test.each([
    ['has not reported', { reportedAgoMs: null, appliedThrough: null }],
    ['stands on another history', { appliedThrough: null }],
    ['is behind', { appliedThrough: 6 }],
    ['is silent and was busy', { busy: ['s'], reportedAgoMs: 60_000 }],
  ])('counts a worker that %s as fenced once its lease is surely over, and waits for the others then', (_, parts) => {
    const one = facts({ workers: [worker('a'), worker('b', parts)] });
    expect(states(stopState(one, after(1_499)))).toEqual(['confirmed', 'unconfirmed']);
    expect(states(stopState(one, after(1_500)))).toEqual(['confirmed', 'fenced']);
    expect(stopState(one, after(3_999)).state).toBe('pending');
    expect(stopState(one, after(4_000)).state).toBe('effective');
  });

  test('is not effective while a worker that lives says that a call is open, even one that no journal shows', () => {
    for (const busy of [['s'], null]) {
      const state = stopState(facts({ workers: [worker('a'), worker('b', { busy })] }), after(60_000));
      expect([state.state, states(state)]).toEqual(['pending', ['confirmed', 'unconfirmed']]);
    }
  });

  test('is not effective while an intent in scope is open, of whomever; past its deadline it is unaccounted', () => {
    const fenced = [worker('a'), worker('b', { appliedThrough: 3 })];
    expect(stopState(facts({ workers: fenced, openIntents: [OPEN] }), after(60_000))).toMatchObject({
      ...{ state: 'pending', unaccounted: [] },
      missing: ['1 effects in scope are open within their deadlines'],
    });
    const past = { ...OPEN, incarnation: 'unlisted', isPastDeadline: true };
    expect(stopState(facts({ openIntents: [past] }), after(60_000))).toMatchObject({
      ...{ state: 'pending', unaccounted: [past] },
      missing: [expect.stringContaining('unaccounted')],
    });
    expect(stopState(facts({ unread: ['b-1'] }), after(60_000)).state).toBe('pending');
  });

  test.each([
    ['no inventory', { inventory: null }, 'no inventory is declared'],
    ['an empty inventory', { inventory: { pools: {}, closed: true } }, 'inventory is empty'],
    ['nobody', { workers: [] }, "pool 'mail' has 0 of 2 workers"],
    ['a second life of one worker', { workers: [worker('a'), worker('a', { incarnation: 'a-2' })] }, '1 of 2'],
    [
      'a worker of another namespace',
      { elsewhere: [{ worker: 'c', incarnation: 'c-1', pool: 'mail', namespace: 'staging' }] },
      "c is of namespace 'staging'",
    ],
  ])('is never effective with %s', (_, parts, why) => {
    const state = stopState(facts(parts), after(600_000));
    expect(state.state).toBe('pending');
    expect(state.missing.join('; ')).toContain(why);
  });

  test('is not disturbed by workers of another namespace that are of other pools', () => {
    const elsewhere = [{ worker: 'c', incarnation: 'c-1', pool: 'search', namespace: 'staging' }];
    expect(stopState(facts({ elsewhere }), after(0)).state).toBe('effective');
  });

  test('that drains is confirmed by a worker’s own word only', () => {
    const stop = { ...facts().stop, drains: true };
    const state = stopState(facts({ stop, workers: [worker('a'), worker('b', { appliedThrough: 3 })] }), after(60_000));
    expect([state.state, states(state)]).toEqual(['pending', ['confirmed', 'unconfirmed']]);
  });

  test('that was released is closed', () => {
    const stop = { ...facts().stop, closedRevision: 8 };
    expect(stopState(facts({ stop, workers: [] }), after(0))).toMatchObject({ state: 'closed', missing: [] });
  });
});

describe('an observer', () => {
  const collect = async (watching: AsyncIterable<StopState>): Promise<readonly string[]> => {
    const seen: string[] = [];
    for await (const { state } of watching) seen.push(state);
    return seen;
  };

  test('counts from when it saw the stop durable, not from when others did', async () => {
    const clock = new ManualClock();
    const store = {
      stopFacts: async () => Promise.resolve(facts({ workers: [worker('a'), worker('b', { appliedThrough: 3 })] })),
    };
    const [early, late] = [new EffectivenessWatch({ store, clock }), new EffectivenessWatch({ store, clock })];
    early.sawDurable('s');
    clock.advance(4_000);
    expect([(await early.look('s'))?.state, (await late.look('s'))?.state]).toEqual(['effective', 'pending']);
  });

  test('goes on through a store that does not answer, and ends with what is final', async () => {
    const clock = new ManualClock();
    const answers: (StopFacts | Error)[] = [new Error('away'), facts({ workers: [] }), new Error('away'), facts()];
    const store = {
      stopFacts: async () => {
        const answer = answers.shift() ?? new Error('asked too often');
        if (answer instanceof Error) throw answer;
        return Promise.resolve(answer);
      },
    };
    const seen = collect(new EffectivenessWatch({ store, clock }).watch('s', { withinMs: 10_000 }));
    await pass(clock, 1_000);
    expect(await seen).toEqual(['pending', 'effective']);
  });

  test('ends with a pending stop when its time is up, and says so when it never saw it', async () => {
    const clock = new ManualClock();
    const pending = { stopFacts: async () => Promise.resolve(facts({ inventory: null })) };
    const looked = collect(new EffectivenessWatch({ store: pending, clock, pollMs: 50 }).watch('s', { withinMs: 120 }));
    await pass(clock, 200);
    expect(await looked).toEqual(['pending', 'pending', 'pending', 'pending']);
    const unseen = collect(
      new EffectivenessWatch({ store: { stopFacts: async () => Promise.resolve(null) }, clock }).watch('s', {
        withinMs: 100,
      }),
    );
    const failed = expect(unseen).rejects.toMatchObject({ code: 'STOP_UNSEEN' });
    await pass(clock, 200);
    await failed;
  });

  test('ends when it is interrupted', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const store = { stopFacts: async () => Promise.resolve(facts({ inventory: null })) };
    const looked = collect(
      new EffectivenessWatch({ store, clock }).watch('s', { withinMs: 60_000, signal: controller.signal }),
    );
    await pass(clock, 50);
    controller.abort(new Error('interrupted'));
    await expect(looked).rejects.toThrow('interrupted');
    expect(clock.timerCount).toBe(0);
  });
});
