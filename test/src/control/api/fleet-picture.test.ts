import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/clock.ts';
import { systemClock } from '../../../../src/clock.ts';
import { FleetPictures } from '../../../../src/control/api/fleet-picture.ts';
import type { FleetView } from '../../../../src/control/api/parts.ts';
import type { RegisteredWorker } from '../../../../src/store/effectiveness-port.ts';
import { Registry } from '../../../../src/registry.ts';

function worker(name: string, more: Partial<RegisteredWorker> = {}): RegisteredWorker {
  return {
    ...{ worker: name, incarnation: `${name}-1`, pool: 'mail', version: null, leaseMs: 1_200, longestDeadlineMs: 1 },
    ...{
      registeredAgoMs: 1,
      reportedAgoMs: 1,
      admittedAgoMs: null,
      appliedThrough: 0,
      busy: [],
      inFlight: 0,
      canary: null,
    },
    ...more,
  };
}

function pictures(fleet: FleetView, clock: Clock = systemClock): FleetPictures {
  const registry = new Registry('ns');
  registry.load({ head: { epoch: 'e', revision: 0, hash: '' }, open: [], critical: [] } as never);
  return new FleetPictures({ registry, lease: { held: () => true }, clock, fleet });
}

const PROVEN = { lastProvenMs: async () => null };

describe('a picture of the fleet', () => {
  it('says of each worker how it stands, in one word that an operator knows', async () => {
    const workers = [
      worker('a', { reportedAgoMs: null, appliedThrough: null }),
      worker('b', { reportedAgoMs: 60_000, admittedAgoMs: 10 }),
      worker('b2', { reportedAgoMs: 60_000 }),
      worker('c', { appliedThrough: null }),
      worker('d'),
    ];
    const picture = await pictures({
      facts: async () => ({ workers, inventory: null }),
      stop: async () => null,
      ...PROVEN,
    }).latest();
    expect(picture.workers.map(({ worker: name, state }) => [name, state])).toEqual([
      ['a', 'no report yet'],
      ['b', 'silent'],
      ['b2', 'gone'],
      ['c', 'another history'],
      ['d', 'up to date'],
    ]);
  });

  it('is one look for all who ask at once', async () => {
    let looks = 0;
    const view = pictures({
      facts: async () => ((looks += 1), { workers: [], inventory: null }),
      stop: async () => null,
      ...PROVEN,
    });
    const [one, other] = await Promise.all([view.latest(), view.latest()]);
    expect([looks, one === other, (await view.latest()) === one]).toEqual([1, true, true]);
  });

  it('never waits for a store that does not answer, and says so', async () => {
    const view = pictures({ facts: () => new Promise(() => undefined), stop: async () => null, ...PROVEN });
    expect(await view.latest()).toMatchObject({ unseen: 'the store did not answer within 1000 ms', workers: [] });
    const failing = pictures({ facts: () => Promise.reject(new Error('gone')), stop: async () => null, ...PROVEN });
    expect(await failing.latest()).toMatchObject({ unseen: 'gone' });
  });

  it('says when a stop was last proven to reach all of them, and lets that grow old while the store is away', async () => {
    let nowMs = 0;
    let isAway = false;
    const workers = [worker('a', { canary: { revision: 3, agoMs: 500 } }), worker('b', { reportedAgoMs: 60_000 })];
    const see = async () => (isAway ? Promise.reject(new Error('away')) : { workers, inventory: null });
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const view = pictures({ facts: see, stop: async () => null, ...PROVEN }, clock);
    expect((await view.latest()).proven).toMatchObject({ agoMs: 500, isGood: true });
    isAway = true;
    for (nowMs of [2_000, 10_000]) {
      expect(await view.latest()).toMatchObject({ unseen: 'away', proven: { agoMs: nowMs + 500 } });
    }
  });

  it('shows two hundred of a large fleet, and says how many more there are', async () => {
    const workers = Array.from({ length: 1_000 }, (_, nth) => worker(`w-${nth}`));
    const picture = await pictures({
      facts: async () => ({ workers, inventory: null }),
      stop: async () => null,
      ...PROVEN,
    }).latest();
    expect([picture.workers.length, picture.hidden]).toEqual([200, 800]);
  });
});
