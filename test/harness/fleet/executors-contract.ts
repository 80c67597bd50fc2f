import { afterAll, beforeAll, expect, it } from 'vitest';
import { lookUpProcess } from '../../../harness/environment/process-table.ts';
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

/** Ends in good order, says so, and takes its children along. The last test of a stage. */
export function testExecutorsEnd(now: () => ExecutorsStage): void {
  it('ends in good order when it is asked to', async () => {
    const { executors, said, events } = now();
    const { pid } = executors.process('executor-1');
    expect(await executors.stop(20_000)).toEqual([]);
    expect(said('bye')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: 'executor.exited', code: 0, signal: null, expected: true });
    expect(lookUpProcess(pid)).toBeNull();
  }, 60_000);
}
