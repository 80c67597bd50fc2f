import { describe, expect, it } from 'vitest';
import { startEmbedded } from '../../../harness/environment/embedded.ts';
import { faultOn, receiptsOf, testExecutors, testExecutorsEnd, testFaultsOnExecutors } from './executors-contract.ts';
import { WAIT } from './executors-stage.ts';

describe('an executor under drill, with PostgreSQL as its bus', () => {
  const now = testExecutors(startEmbedded);
  testFaultsOnExecutors(now);

  it('that is started while its store is away waits for it', async () => {
    const { faults, executors, raise, durable, until } = now();
    await faults.inject(faultOn('postgres', 'kill'));
    const first = executors.process('executor-1');
    first.signal('SIGKILL', { expected: true });
    await first.exited;
    const next = await executors.spawn('executor-1');
    await until(() => next.complaint.includes('STORE') || next.complaint !== '');
    expect({ ready: next.isReady, exited: next.hasExited }).toEqual({ ready: false, exited: false });
    await faults.undoAll();
    const receipts = receiptsOf(now()).filter((type) => type.startsWith('fault'));
    expect(receipts).toEqual(['fault.selected', 'fault.observed', 'fault.injected', 'fault.recovered']);
    await until(() => next.isReady);
    await raise('after its store');
    await expect.poll(durable, WAIT).toContain('after its store');
  }, 90_000);

  it('has no Kafka beside it that a fault could hit, and that goes on record', async () => {
    const { faults, events } = now();
    await faults.inject(faultOn('kafka', 'kill'));
    const missing = expect.stringContaining('choose --environment local or containers');
    expect(events.at(-1)).toEqual({ type: 'conductor.gaveUp', what: 'kill of kafka', missing });
    await faults.undoAll();
  });

  testExecutorsEnd(now);
});
