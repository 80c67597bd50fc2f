import { describe, expect, test } from 'vitest';
import { WorkerReporter, busyEngagements } from '../../../src/control/worker-reporter.ts';
import { InFlight } from '../../../src/in-flight.ts';
import { Lease } from '../../../src/lease.ts';
import { RegistryDecider } from '../../../src/decider.ts';
import { Registry } from '../../../src/registry.ts';
import { RunContext } from '../../../src/run-context.ts';
import type { WorkerReport, WorkerReports } from '../../../src/store/effectiveness-port.ts';
import { NAMESPACE, stopFlip } from '../chain-store.ts';
import { canonicalText } from '../../../src/flip-text.ts';
import { ManualClock, pass, settled } from '../manual-clock.ts';

const IDENTITY = {
  ...{ incarnation: 'i1', worker: 'w1', pool: 'mail', version: null },
  ...{ leaseMs: 1_200, longestDeadlineMs: 500 },
};

class Listed implements WorkerReports {
  registered = 0;
  ended = 0;
  known = true;
  failing = false;
  readonly reports: { readonly number: number; readonly report: WorkerReport }[] = [];

  async register(): Promise<void> {
    if (this.failing) throw new Error('away');
    this.registered += 1;
    this.known = true;
    await Promise.resolve();
  }

  async report(_incarnation: string, number: number, report: WorkerReport): Promise<boolean> {
    this.reports.push({ number, report });
    return Promise.resolve(this.known);
  }

  async deregister(): Promise<void> {
    this.ended += 1;
    await Promise.resolve();
  }

  get last(): WorkerReport | undefined {
    return this.reports.at(-1)?.report;
  }
}

function rig() {
  const clock = new ManualClock();
  const registry = new Registry(NAMESPACE);
  const inFlight = new InFlight(new RegistryDecider(registry, new Lease(clock)));
  const reports = new Listed();
  const reporter = new WorkerReporter({ reports, identity: IDENTITY, registry, inFlight, clock });
  const load = (): void => {
    registry.load({ head: { epoch: 'e', revision: 0, hash: '' }, ageMs: 9_999, open: [], critical: [] });
  };
  const stop = (id: string, parts: Parameters<typeof stopFlip>[1] = {}): void => {
    registry.arrive({ text: canonicalText(stopFlip(id, parts)), signature: null, place: { epoch: 'e', revision: 1 } });
  };
  const call = (tenant: string) => {
    const context = new RunContext({ run: 'r1', agent: 'a1', tenant }, null);
    return inFlight.add({
      ...{ subject: { ...context.subject, capability: 'write/mail' }, context, idempotencyKey: 'k', startedMs: 0 },
      ...{ fate: { abort: () => undefined }, answer: () => undefined },
    });
  };
  return { clock, registry, inFlight, reports, reporter, load, stop, call };
}

describe('a worker', () => {
  test('reports after each change of its registry, and once a lease otherwise', async () => {
    const { clock, reports, reporter, load, stop } = rig();
    reporter.start();
    await pass(clock, 100);
    expect([reports.registered, reports.reports.length]).toEqual([1, 0]);
    load();
    await pass(clock, 100);
    expect(reports.reports).toHaveLength(1);
    stop('s1');
    await pass(clock, 100);
    expect(reports.reports).toHaveLength(1); // it is early: the prefix has not moved, and nothing is open
    await pass(clock, 3_700);
    expect(reports.reports.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    await Promise.all([reporter.close(() => true), pass(clock, 50)]);
  });

  test('names a stop as long as a call in its scope is open, past its deadline too', async () => {
    const { clock, reports, reporter, load, stop, call } = rig();
    load();
    reporter.start();
    const mine = call('acme');
    const late = call('acme');
    const other = call('other');
    stop('s1', { scope: 'tenant', target: 'acme' });
    await pass(clock, 50);
    expect(reports.last).toMatchObject({ busy: ['s1'], inFlight: 3 });
    late.unconfirmed();
    mine.ended();
    await pass(clock, 50);
    expect(reports.last?.busy).toEqual(['s1']);
    late.ended();
    await pass(clock, 50);
    expect(reports.last?.busy).toEqual([]);
    other.ended();
    await Promise.all([reporter.close(() => true), pass(clock, 50)]);
    expect(reports.ended).toBe(1);
  });

  test('is busy with a drain for as long as it lasts', () => {
    const { registry, inFlight, load, stop } = rig();
    load();
    stop('s1', { queue: 'drain', drainMs: 1_000 });
    expect(busyEngagements(registry, inFlight)).toEqual(['s1']);
    registry.drainEnded('s1');
    expect(busyEngagements(registry, inFlight)).toEqual([]);
  });

  test('confirms nothing when it is busy with more than it can name, or has calls that it no longer knows by name', () => {
    const { registry, inFlight, load, stop, call } = rig();
    load();
    for (let n = 1; n <= 101; n += 1) stop(`s${n}`);
    expect(busyEngagements(registry, inFlight)).toEqual([]);
    const one = call('acme');
    expect(busyEngagements(registry, inFlight)).toBeNull();
    one.ended();
    const calls = Array.from({ length: 1_001 }, () => call('other'));
    for (const open of calls) open.unconfirmed();
    expect(inFlight.subjects()).toBeNull();
    calls[0]?.ended();
    calls[0]?.ended();
    expect(inFlight.subjects()).toHaveLength(1_000);
  });

  test('registers again when the store does not know it any more, and when the store comes back', async () => {
    const { clock, reports, reporter, load } = rig();
    reports.failing = true;
    load();
    reporter.start();
    await pass(clock, 300);
    expect([reports.registered, reports.reports.length]).toEqual([0, 0]);
    reports.failing = false;
    await pass(clock, 300);
    expect(reports.registered).toBe(1);
    reports.known = false;
    await pass(clock, 1_500);
    expect(reports.registered).toBeGreaterThan(1);
    await Promise.all([reporter.close(() => true), pass(clock, 50)]);
  });

  test.each([
    ['a call open', true, true],
    ['outcomes that were not written', false, false],
  ])('that ends with %s stays on the list', async (_, isClean, withCall) => {
    const { clock, reports, reporter, load, call } = rig();
    load();
    reporter.start();
    if (withCall) call('acme');
    await pass(clock, 50);
    await Promise.all([reporter.close(() => isClean), pass(clock, 50)]);
    await settled();
    expect(reports.ended).toBe(0);
  });
});
