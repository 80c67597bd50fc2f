import { describe, expect, test } from 'vitest';
import { UNCONFIRMED } from '../../../../src/call.ts';
import type { StopFacts, WorkerIdentity, WorkerReport } from '../../../../src/store/effectiveness-port.ts';
import type { Head } from '../../../../src/store/store.ts';
import { SOMEBODY, sampleIntent } from '../samples.ts';
import type { World } from './world.ts';

const POOLS = { pools: { mail: 2 }, closed: true };

/** What the store knows of workers and of a stop's reach. */
export function describeEffectiveness(w: World): void {
  const named = (name: string): WorkerIdentity => ({
    ...{ incarnation: `${name}-${w.namespace}`, worker: name, pool: 'mail', version: '1.0.0' },
    ...{ leaseMs: 1_200, longestDeadlineMs: 250 },
  });
  const said = (head: Head, busy: WorkerReport['busy'] = []): WorkerReport => ({
    head,
    busy,
    inFlight: 0,
    canary: null,
  });
  const register = (name: string): Promise<void> => w.one.reports.register(named(name));
  const report = async (name: string, number: number, what?: WorkerReport): Promise<boolean> =>
    w.one.reports.report(named(name).incarnation, number, what ?? said(await w.head()));
  const effect = async (name: string, seq: number, parts: Parameters<typeof sampleIntent>[1] = {}): Promise<void> => {
    const answer = await w.one.fence.admitIntents(named(name).incarnation, await w.head(), [sampleIntent(seq, parts)]);
    expect(answer.kind).toBe('admitted');
  };
  const facts = async (id: string): Promise<StopFacts> => {
    const found = await w.other.effectiveness.stopFacts(id);
    if (found === null) throw new Error(`stop ${id} is not in the store`);
    return found;
  };
  const openSeqs = async (id: string): Promise<readonly number[]> =>
    (await facts(id)).openIntents.map(({ seq }) => seq).toSorted((one, other) => one - other);

  describe('workers', () => {
    test('are listed with their newest report until they end', async () => {
      await register('a');
      await register('b');
      expect(await report('a', 1)).toBe(true);
      const { workers, inventory } = await w.other.effectiveness.fleet();
      expect(
        workers.map(({ worker, appliedThrough, reportedAgoMs }) => [worker, appliedThrough, reportedAgoMs]),
      ).toEqual([
        ['a', 0, expect.any(Number)],
        ['b', null, null],
      ]);
      expect(workers[0]).toMatchObject({ ...named('a'), busy: [], inFlight: 0, canary: null });
      expect(inventory).toBeNull();
      await w.one.reports.deregister(named('a').incarnation);
      expect((await w.other.effectiveness.fleet()).workers.map(({ worker }) => worker)).toEqual(['b']);
    });

    test('that have ended are told to register again', async () => {
      await register('a');
      await w.one.reports.deregister(named('a').incarnation);
      expect(await report('a', 1)).toBe(false);
      expect(await report('nobody', 1)).toBe(false);
      await register('a');
      expect(await report('a', 1)).toBe(true);
    });

    test('write nothing in the name of another', async () => {
      await register('a');
      await expect(w.other.reports.register(named('a'))).rejects.toMatchObject({ code: 'WORKER_TAKEN' });
      expect(await w.other.reports.report(named('a').incarnation, 9, said(await w.head()))).toBe(false);
      await w.other.reports.deregister(named('a').incarnation);
      expect((await w.other.effectiveness.fleet()).workers).toMatchObject([{ worker: 'a', reportedAgoMs: null }]);
    });

    test('are not set back by a report that comes late', async () => {
      await register('a');
      const before = await w.head();
      await w.stop();
      await report('a', 2);
      expect(await report('a', 1, said(before))).toBe(true);
      expect((await w.other.effectiveness.fleet()).workers).toMatchObject([{ appliedThrough: 1 }]);
    });

    test('on a history that is not the store’s have applied nothing', async () => {
      await register('a');
      await w.stop();
      for (const [number, wrong] of [{ epoch: 'another' }, { hash: 'another' }].entries()) {
        await report('a', number + 1, said({ ...(await w.head()), ...wrong }));
        expect((await w.other.effectiveness.fleet()).workers).toMatchObject([{ appliedThrough: null }]);
      }
    });

    test('say which canary they refused', async () => {
      await register('a');
      await report('a', 1, { ...said(await w.head()), canary: 7 });
      expect((await w.other.effectiveness.fleet()).workers).toMatchObject([
        { canary: { revision: 7, agoMs: expect.any(Number) } },
      ]);
    });
  });

  describe('the facts of a stop', () => {
    test('are null for an id that opened nothing', async () => {
      expect(await w.one.effectiveness.stopFacts('nobody')).toBeNull();
    });

    test('say what it is, and whether it is still open', async () => {
      const { record } = await w.stop({ id: 's1', scope: 'tenant', target: 'acme', queue: 'drain', drainMs: 50 });
      expect((await facts('s1')).stop).toEqual({
        ...{ id: 's1', revision: record.revision, scope: 'tenant', target: 'acme', mode: 'halt_all' },
        ...{ drains: true, closedRevision: null },
      });
      await w.release('s1');
      expect((await facts('s1')).stop.closedRevision).toBe(record.revision + 1);
    });

    test('name open intents in its scope only, of workers that never registered too', async () => {
      await effect('a', 1);
      await effect('b', 2, { tenant: 'other' });
      await effect('unlisted', 3);
      await effect('b', 4, { capability: 'read/crm' });
      await w.stop({ id: 'acme', scope: 'tenant', target: 'acme' });
      await w.stop({ id: 'writes', scope: 'capability', target: 'write/*' });
      expect(await openSeqs('acme')).toEqual([1, 3, 4]);
      expect(await openSeqs('writes')).toEqual([1, 2, 3]);
    });

    test('leave out what has an outcome, but not what was given up at its deadline', async () => {
      await effect('a', 1);
      await effect('a', 2);
      await effect('a', 3);
      await w.one.outcomes.record(named('a').incarnation, [
        { seq: 1, kind: 'unknown', detail: UNCONFIRMED },
        { seq: 2, kind: 'unknown', detail: 'aborted' },
      ]);
      await w.stop({ id: 'all' });
      expect(await openSeqs('all')).toEqual([1, 3]);
    });

    test('leave out what passes a halt_noncritical', async () => {
      await w.one.operator.setCritical({ capabilities: ['read/*'], classes: [] }, SOMEBODY);
      await effect('a', 1, { capability: 'read/crm' });
      await effect('a', 2);
      await w.stop({ id: 'mild', mode: 'halt_noncritical' });
      expect(await openSeqs('mild')).toEqual([2]);
    });

    test('leave out what belongs to a worker that confirmed in one report', async () => {
      await register('a');
      await effect('a', 1);
      await report('a', 1);
      await w.stop({ id: 'all' });
      expect(await openSeqs('all')).toEqual([1]);
      await report('a', 2, said(await w.head(), ['all']));
      expect(await openSeqs('all')).toEqual([1]);
      await report('a', 3, said(await w.head(), null));
      expect(await openSeqs('all')).toEqual([1]);
      await report('a', 4);
      expect(await openSeqs('all')).toEqual([]);
    });

    test('find an intent that was opened after the journal was found to be settled', async () => {
      await effect('a', 1);
      await w.one.outcomes.record(named('a').incarnation, [{ seq: 1, kind: 'landed', detail: null }]);
      await w.stop({ id: 'other', scope: 'tenant', target: 'nobody' });
      expect(await openSeqs('other')).toEqual([]);
      await effect('a', 2);
      await w.stop({ id: 'all' });
      expect(await openSeqs('all')).toEqual([2]);
    });

    test('have the inventory that was declared last', async () => {
      await w.one.effectiveness.declareInventory({ pools: { mail: 1 }, closed: false }, SOMEBODY);
      await w.one.effectiveness.declareInventory(POOLS, SOMEBODY);
      await w.stop({ id: 'all' });
      expect((await facts('all')).inventory).toEqual(POOLS);
    });
  });

  test.each([{}, { mail: 0 }, { mail: 1.5 }, { '': 1 }])('an inventory of %j is refused', async (pools) => {
    await expect(w.one.effectiveness.declareInventory({ pools, closed: true }, SOMEBODY)).rejects.toMatchObject({
      code: 'INVENTORY_INVALID',
    });
  });

  describe('an operator', () => {
    test('answers for an intent past its deadline, once and for all', async () => {
      await effect('a', 1, { deadlineMs: 1 });
      await w.stop({ id: 'all' });
      await w.expire(async () => ((await facts('all')).openIntents[0]?.isPastDeadline === true ? true : undefined));
      const intent = { incarnation: named('a').incarnation, seq: 1 };
      expect(await w.one.effectiveness.closeIntent(intent, SOMEBODY)).toBe(true);
      expect(await w.one.effectiveness.closeIntent(intent, SOMEBODY)).toBe(true);
      expect(await openSeqs('all')).toEqual([]);
    });

    test('does not answer for one that has an outcome, is not due, or never was', async () => {
      await effect('a', 1, { deadlineMs: 1 });
      await effect('a', 2, { deadlineMs: 60_000 });
      const { incarnation } = named('a');
      await w.one.outcomes.record(incarnation, [{ seq: 1, kind: 'landed', detail: null }]);
      await w.expire(async () =>
        (await w.one.effectiveness.closeIntent({ incarnation, seq: 1 }, SOMEBODY).catch(() => undefined)) === false
          ? true
          : undefined,
      );
      await expect(w.one.effectiveness.closeIntent({ incarnation, seq: 2 }, SOMEBODY)).rejects.toMatchObject({
        code: 'INTENT_NOT_DUE',
      });
      await expect(w.one.effectiveness.closeIntent({ incarnation, seq: 3 }, SOMEBODY)).rejects.toMatchObject({
        code: 'INTENT_UNKNOWN',
      });
    });
  });
}
