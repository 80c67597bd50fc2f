import { afterAll, beforeAll, expect, it } from 'vitest';
import { lookUpProcess } from '../../../harness/environment/process-table.ts';
import type { FaultEntry } from '../../../harness/scenario/scenario.ts';
import { openExecutorsStage, WAIT } from './executors-stage.ts';
import type { ExecutorsStage } from './executors-stage.ts';

/** What executors under drill do, whatever their bus is; the tests build on each other. */
export function testExecutors(start: Parameters<typeof openExecutorsStage>[0]): () => ExecutorsStage {
  let stage: ExecutorsStage | null = null;
  beforeAll(async () => {
    stage = await openExecutorsStage(start);
  }, 180_000);
  afterAll(() => stage?.close(), 60_000);
  const now = (): ExecutorsStage => {
    if (stage === null) throw new Error('the stage is there within tests only');
    return stage;
  };

  it('makes a stop of an alert, and all of it is on record', async () => {
    const { raise, durable, said, events, until } = now();
    expect(events.map(({ type }) => type)).toEqual(['executor.spawned', 'executor.ready']);
    await raise('acme');
    await expect.poll(durable, WAIT).toEqual(['acme']);
    await until(() => said('alert.answered').length === 1);
    const [read] = said('alert.read');
    expect(read).toMatchObject({
      flipId: expect.stringMatching(/^alert-/),
      content: expect.stringMatching(/^\w{64}$/),
    });
    expect(said('alert.answered')).toEqual([{ ...read, event: 'alert.answered', kind: 'flip', revision: 1 }]);
    expect(said('alert.poison')).toEqual([]);
  }, 90_000);

  it('loses nothing by kill -9: what came meanwhile is a stop of the next life, and what comes then', async () => {
    const { raise, durable, executors, events, until } = now();
    const first = executors.process('executor-1');
    first.signal('SIGKILL', { expected: true });
    await first.exited;
    expect(() => executors.process('executor-1')).toThrow(expect.objectContaining({ code: 'EXECUTOR_GONE' }));
    await raise('beta');
    const next = await executors.spawn('executor-1');
    await until(() => next.isReady);
    await expect.poll(durable, WAIT).toEqual(['acme', 'beta']);
    await raise('gamma');
    await expect.poll(durable, WAIT).toEqual(['acme', 'beta', 'gamma']);
    const types = events.map(({ type }) => type).filter((type) => type !== 'executor.said');
    const life = ['executor.spawned', 'executor.ready'];
    expect(types).toEqual([...life, 'executor.exited', ...life]);
    expect(events.find(({ type }) => type === 'executor.exited')).toMatchObject({ signal: 'SIGKILL', expected: true });
  }, 90_000);

  return now;
}

/** A fault that lasts until it is undone. */
export function faultOn(target: string, fault: FaultEntry['fault'], plane: FaultEntry['plane'] = null): FaultEntry {
  const none = { direction: null, delayMs: null, bytesPerSecond: null, offsetMs: null, forMs: null } as const;
  return { kind: 'fault', when: { kind: 'previous', offsetMs: 0 }, fault, target, plane, ...none };
}

/** The receipts of the last fault, in order, with what became of the executor meanwhile. */
export function receiptsOf({ events }: ExecutorsStage): readonly string[] {
  const from = events.findLastIndex(({ type }) => type === 'fault.selected');
  return events.slice(from).flatMap(({ type }) => (type === 'executor.said' ? [] : [type]));
}

/** The plane of the last fault that was seen to act. */
function observedPlane({ events }: ExecutorsStage): string | null {
  const seen = events.findLast(({ type }) => type === 'fault.observed');
  return seen !== undefined && 'plane' in seen ? seen.plane : null;
}

/** Faults on an executor have their receipts, act, and are undone. */
export function testFaultsOnExecutors(now: () => ExecutorsStage): void {
  it.each(['kill', 'restart'] as const)(
    'is gone by a %s, and well again once its next life is ready',
    async (kind) => {
      const { faults, raise, durable } = now();
      await faults.inject(faultOn('executor-1', kind));
      await raise(`during ${kind}`);
      await faults.undoAll();
      const back = ['fault.injected', 'executor.spawned', 'executor.ready', 'fault.recovered'];
      expect(receiptsOf(now())).toEqual(['fault.selected', 'executor.exited', 'fault.observed', ...back]);
      await expect.poll(durable, WAIT).toContain(`during ${kind}`);
    },
    90_000,
  );

  it('stands still by a pause, and goes on after it', async () => {
    const { faults, raise, durable, said } = now();
    await faults.inject(faultOn('executor-1', 'pause'));
    const read = said('alert.read').length;
    await raise('during pause');
    expect(said('alert.read')).toHaveLength(read);
    await faults.undoAll();
    expect(receiptsOf(now())).toEqual(['fault.selected', 'fault.observed', 'fault.injected', 'fault.recovered']);
    await expect.poll(durable, WAIT).toContain('during pause');
  }, 90_000);

  it('holds a stop that its control plane does not take, and its registry plane takes it to the store', async () => {
    const { faults, raise, durable, said, events, until } = now();
    const heldBefore = said('alert.held').length;
    await faults.inject(faultOn('executor-1', 'cut', 'control'));
    await raise('without control');
    await until(() => said('alert.held').length > heldBefore && observedPlane(now()) === 'control');
    await expect.poll(durable, WAIT).toContain('without control');
    const { flipId } = said('alert.held').at(-1) ?? {};
    expect(said('alert.answered').some((answer) => answer['flipId'] === flipId)).toBe(false);
    await faults.undoAll();
    expect(events.findLast(({ type }) => type === 'fault.recovered')).toMatchObject({
      acted: { refused: expect.any(Number) },
    });
    await until(() => said('alert.answered').some((answer) => answer['flipId'] === flipId));
  }, 90_000);

  it('makes stops without its registry plane', async () => {
    const { faults, raise, durable, until } = now();
    await faults.inject(faultOn('executor-1', 'cut', 'registry'));
    await raise('without registry');
    await expect.poll(durable, WAIT).toContain('without registry');
    await until(() => observedPlane(now()) === 'registry');
    await faults.undoAll();
  }, 90_000);

  it('reads nothing without its alerts plane, and all of it afterwards', async () => {
    const { faults, raise, durable, said, until } = now();
    await faults.inject(faultOn('executor-1', 'half-open', 'alerts'));
    const read = said('alert.read').length;
    await raise('without alerts');
    await until(() => observedPlane(now()) === 'alerts');
    expect(said('alert.read')).toHaveLength(read);
    await faults.undoAll();
    await expect.poll(durable, WAIT).toContain('without alerts');
  }, 90_000);
}

/** Ends in good order, says so, and takes its children along. The last test of a stage. */
export function testExecutorsEnd(now: () => ExecutorsStage): void {
  it('ends in good order when it is asked to', async () => {
    const { executors, said, events } = now();
    const byes = said('bye').length;
    const { pid } = executors.process('executor-1');
    expect(await executors.stop(20_000)).toEqual([]);
    expect(said('bye')).toHaveLength(byes + 1);
    expect(events.at(-1)).toMatchObject({ type: 'executor.exited', code: 0, signal: null, expected: true });
    expect(lookUpProcess(pid)).toBeNull();
  }, 60_000);
}
