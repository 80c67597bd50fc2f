import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, DRAIN_MS, cleanDrill } from './clean-drill.ts';
import { changed, effect, fault, plus, without, withoutStops } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';
import { lagging } from './lagging.ts';
import { endingAs, otherwise, taskChange, unchanged } from './queue-edits.ts';

const PROPERTY = 'queue_honours_policy';
const TIMER = 'timed-1/0';
const CALL_OF_505 = { atMs: 10_210, worker: 1, run: 'run-505', capability: 'model/chat', key: 'run-505/0' };
const discarding = cleanDrill();
const parking = cleanDrill({ queue: 'park' });
const draining = cleanDrill({ queue: 'drain' });
const global = { scope: 'global', target: '*' } as const;

function killed(draft: DraftDrill, atMs: number): DraftDrill {
  const died = changed(draft, (timed) =>
    timed.body.type === 'worker.exited' && timed.body.channel === 1
      ? { ...timed, atMs, body: { ...timed.body, code: null, signal: 'SIGKILL' } }
      : timed,
  );
  return died;
}

describe(PROPERTY, () => {
  it.each([
    ['discards', discarding, { discarded: 6 }],
    ['parks', parking, { done: 6 }],
    ['drains', draining, { done: 6 }],
    ['is in mode halt_noncritical and says discard', cleanDrill({ mode: 'halt_noncritical' }), { done: 7 }],
    ['resumes what it discarded', cleanDrill({ isResumed: true }), { done: 6 }],
    ['parks and is never released', cleanDrill({ queue: 'park', isReleased: false }), { parked: 6 }],
    ['is of one run', cleanDrill({ on: { scope: 'run', target: 'primed-run' } }), { discarded: 4 }],
  ])('passes a drill whose stop %s, counting what became of what waited and ran', (_, draft, atEnd) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'pass', evidence: { atEnd, atStop: { parked: 0 } } });
  });

  it('conserves: what waited or ran at the stop is what there is of it at the end', () => {
    const { evidence } = check(PROPERTY, parking);
    const sum = (counts: unknown) => Object.values(counts as Record<string, number>).reduce((all, one) => all + one, 0);
    expect(sum(evidence['atStop'])).toBe(sum(evidence['atEnd']));
  });

  it.each<[string, DraftDrill, RegExp, Record<string, unknown>]>([
    [
      'a timer that is claimed under the stop',
      otherwise(
        discarding,
        TIMER,
        AT.stop,
        { from: 'queued', to: 'running', atMs: 5_650 },
        { from: 'running', to: 'done', atMs: 5_670 },
      ),
      /timer timed-1\/0 of run timed-1 was claimed after revision 1, under the stop of tenant:acme/,
      { task: TIMER, revision: 1, tenant: 'acme' },
    ],
    [
      'a probe that is claimed',
      otherwise(
        discarding,
        'probe-1',
        AT.durable + 8,
        { from: 'queued', to: 'running', atMs: 4_000 },
        { from: 'running', to: 'done', atMs: 4_050 },
      ),
      /run probe-1 was claimed after revision 1/,
      { task: 'probe-1', revision: 1 },
    ],
    [
      'a task that was discarded and is claimed after the release',
      otherwise(
        discarding,
        'later-1',
        AT.stop,
        { from: 'queued', to: 'running', atMs: AT.released + 500 },
        { from: 'running', to: 'done', atMs: AT.released + 550 },
      ),
      /was claimed, though the stop of tenant:acme at revision 1 had discarded it/,
      { task: 'later-1', afterRevision: 2 },
    ],
    [
      'a task that waits on under a discarding stop',
      endingAs(
        unchanged(discarding, 'later-1', ({ to }) => to === 'discarded'),
        'later-1',
        'queued',
      ),
      /later-1 waited at the stop of tenant:acme and still waited \d+ ms later; by 'discard' it is discarded/,
      { task: 'later-1', policy: 'discard' },
    ],
    [
      'a task that waits on under a parking stop',
      unchanged(parking, 'later-1', ({ to }, atMs) => to === 'parked' || atMs === AT.released + 20),
      /by 'park' it is parked/,
      { task: 'later-1', policy: 'park' },
    ],
    [
      'a task that a parking stop discards',
      otherwise(parking, 'later-1', AT.stop, { from: 'queued', to: 'discarded', atMs: AT.stop + 20 }),
      /was discarded after revision 1, and no stop since its admission at revision 0 discards it/,
      { task: 'later-1' },
    ],
    [
      'a task that a discarding stop parks',
      otherwise(discarding, 'later-1', AT.stop, { from: 'queued', to: 'parked', atMs: AT.stop + 20, afterRevision: 1 }),
      /later-1 was parked after revision 1, though the stop of tenant:acme at revision 1 discards it/,
      { task: 'later-1', revision: 1 },
    ],
    [
      'a stopped run that is ended as failed',
      otherwise(parking, 'primed-1', AT.stop, { from: 'running', to: 'failed', atMs: AT.stop + 20, afterRevision: 1 }),
      /primed-1 was being worked on at the stop of tenant:acme and ended under it as failed, though its downstream refused/,
      { task: 'primed-1', to: 'failed', revision: 1 },
    ],
    [
      'a stopped run that is ended as done',
      otherwise(
        without(parking, ({ body, atMs }) => 'run' in body && body.run === 'primed-1' && atMs > AT.stop),
        'primed-1',
        AT.stop,
        { from: 'running', to: 'done', atMs: AT.stop + 20, afterRevision: 1 },
      ),
      /primed-1 was being worked on at the stop of tenant:acme and ended under it as done, though step 1 of run primed-1/,
      { task: 'primed-1', to: 'done', revision: 1 },
    ],
    [
      'a task that is parked though nothing stops it',
      otherwise(discarding, 'run-31', AT.traffic + 621.6, { from: 'running', to: 'parked', atMs: 722 }),
      /run run-31 was parked after revision 0, and no open stop covers it/,
      { task: 'run-31', tenant: 'beta' },
    ],
    [
      'a task of another tenant that is discarded',
      otherwise(discarding, 'run-220', AT.stop, { from: 'running', to: 'discarded', atMs: 4_505 }),
      /run run-220 was discarded/,
      { tenant: 'beta' },
    ],
    [
      'a task that comes back while the stop is on',
      otherwise(parking, 'later-1', AT.stop + 25, { from: 'parked', to: 'queued', atMs: 6_000 }),
      /was parked and came back after revision 1, under the stop of tenant:acme/,
      { task: 'later-1', from: 'parked' },
    ],
    [
      'a discarded task that comes back though nobody resumed it',
      otherwise(discarding, 'later-1', AT.stop + 25, {
        from: 'discarded',
        to: 'queued',
        atMs: AT.released + 100,
        stamp: 2,
      }),
      /was discarded and became queued, and nobody resumed it/,
      { task: 'later-1', from: 'discarded' },
    ],
    [
      'a task that ends twice',
      plus(parking, taskChange({ task: 'later-1', from: 'done', to: 'queued', atMs: AT.drain - 200 })),
      /was done and became queued again/,
      { task: 'later-1' },
    ],
    [
      'a task that is parked long after the last release',
      endingAs(
        unchanged(parking, 'later-1', (_, atMs) => atMs > AT.stop + 25),
        'later-1',
        'parked',
      ),
      /is still parked, \d+ ms after the last stop that covered it was released/,
      { task: 'later-1' },
    ],
    [
      'a task that is running at the end',
      endingAs(discarding, 'run-31', 'running'),
      /run run-31 is running at the end, and the fleet has ended/,
      { task: 'run-31' },
    ],
    [
      'a task that is gone',
      without(discarding, ({ body }) => body.type === 'store.task' && body.task === 'later-1'),
      /later-1 was queued at the stop of tenant:acme, and is not in the queue any more/,
      { task: 'later-1' },
    ],
    [
      'a task that is claimed when the drain is over',
      otherwise(
        draining,
        TIMER,
        AT.durable + DRAIN_MS,
        { from: 'queued', to: 'running', atMs: AT.durable + DRAIN_MS + 700 },
        { from: 'running', to: 'done', atMs: AT.durable + DRAIN_MS + 730 },
      ),
      /was claimed after revision 1/,
      { task: TIMER },
    ],
    [
      'an effect of a probe',
      plus(
        discarding,
        ...effect({ atMs: 3_300, worker: 1, run: 'probe-2', capability: 'model/chat', key: 'probe-2/0' }),
      ),
      /of a probe that was put into the queue after the stop of tenant:acme/,
      { run: 'probe-2', probe: true },
    ],
  ])('fails on %s', (_, draft, reason, evidence) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason), evidence });
  });

  it('finds what was left unfinished on a machine without room undecided, and still what was done wrongly', () => {
    const left = endingAs(discarding, 'run-31', 'running');
    expect(check(PROPERTY, lagging(left, 5)).verdict).toBe('fail');
    expect(check(PROPERTY, lagging(left, 15))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a machine with room for the drill', task: 'run-31' },
    });
    const gone = without(left, ({ body }) => body.type === 'store.task' && body.task === 'later-1');
    expect(check(PROPERTY, lagging(gone, 15))).toMatchObject({ verdict: 'fail', evidence: { task: 'later-1' } });
  });

  it('fails on a refusal that spends an attempt, and lets a call be tried again of which nobody knows, if it is idempotent', () => {
    const spent = changed(parking, (timed) =>
      timed.body.type === 'store.taskChange' && timed.body.task === 'primed-1' && timed.body.to === 'parked'
        ? { ...timed, body: { ...timed.body, retry: true } }
        : timed,
    );
    expect(check(PROPERTY, spent)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(
        /run primed-1 was put back for another attempt after revision 1, and nothing of it/,
      ),
      evidence: { task: 'primed-1', to: 'parked', attempts: 1 },
    });
    const runs = spent.runs.map((run) => {
      const plan = run.plan.map((step, nth) => (nth === 0 ? { ...step, idempotent: true as const } : step));
      return run.run === 'primed-1' ? { ...run, plan } : run;
    });
    expect(check(PROPERTY, { ...spent, runs }).verdict).toBe('pass');
  });

  it('lets a run that met a stop of its capability be discarded with it, also when it was let in under the stop', () => {
    const on = { scope: 'capability', target: 'write/mail' } as const;
    expect(check(PROPERTY, cleanDrill({ on }))).toMatchObject({ verdict: 'pass' });
  });

  it('lets a run be discarded whose stop was released while it wrote that it had met it, and none that began after', () => {
    const drill = cleanDrill({ on: { scope: 'capability', target: 'write/mail' } });
    const late = { from: 'running', to: 'discarded', stamp: 1 } as const;
    const during = otherwise(drill, 'run-447', AT.release - 40, { ...late, atMs: AT.released + 5 });
    expect(check(PROPERTY, during)).toMatchObject({ verdict: 'pass' });
    const claimed = { from: 'queued', to: 'running', stamp: 1, atMs: AT.released + 5 } as const;
    const began = otherwise(drill, 'run-447', AT.release - 59, claimed, { ...late, atMs: AT.released + 10 });
    expect(check(PROPERTY, began)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('run run-447 was discarded after revision 2, and no stop since its admission'),
    });
  });

  it('lets a task run be that a drain passes, and judges none for what a fault kept it from', () => {
    expect(
      check(
        PROPERTY,
        otherwise(
          draining,
          TIMER,
          AT.stop,
          { from: 'queued', to: 'running', atMs: 4_000 },
          { from: 'running', to: 'done', atMs: 4_020 },
        ),
      ).verdict,
    ).toBe('pass');
    const waits = endingAs(
      unchanged(discarding, 'later-1', ({ to }) => to === 'discarded'),
      'later-1',
      'queued',
    );
    const kill = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, 4_000, 6_000);
    expect(check(PROPERTY, plus(waits, ...kill)).verdict).toBe('pass');
    for (const target of ['kafka', 'executor-1']) {
      const elsewhere = fault({ fault: 1, kind: 'kill', target, plane: null }, 4_000, 6_000);
      expect(check(PROPERTY, plus(waits, ...elsewhere)).verdict).toBe('fail');
    }
  });

  it('fails on a task that is ended as failed because its worker could not ask the store', () => {
    const kill = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, 10_200, 12_000);
    const ended = { from: 'running', to: 'failed', atMs: 12_700 } as const;
    const lost = plus(otherwise(discarding, 'run-505', 10_205, ended), ...kill);
    expect(check(PROPERTY, lost)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/run run-505 was ended as failed, .* could not ask the store for 1800 ms/),
      evidence: { task: 'run-505', tenant: 'beta', from: 'running', to: 'failed' },
    });
    const refusal = effect({ ...CALL_OF_505, landsAfterMs: null });
    const failed = refusal.map(({ body }): Timed['body'] => ({ ...body, type: 'effect.failed' }) as Timed['body']);
    const refused = plus(lost, ...refusal, ...failed.map((body) => ({ atMs: 10_212, body })));
    expect(check(PROPERTY, refused).verdict).toBe('pass');
    const apart = fault({ fault: 1, kind: 'cut', target: 'executor-1', plane: 'control' }, 10_200, 12_000);
    for (const faults of [[], apart])
      expect(check(PROPERTY, plus(otherwise(discarding, 'run-505', 10_205, ended), ...faults)).verdict).toBe('pass');
  });

  it('lets the claim of a worker be that was killed too late for it to be over', () => {
    const running = endingAs(
      unchanged(discarding, 'run-660', ({ to }) => to === 'done'),
      'run-660',
      'running',
    );
    expect(check(PROPERTY, running).verdict).toBe('fail');
    expect(check(PROPERTY, killed(running, 13_400)).verdict).toBe('pass');
    expect(check(PROPERTY, killed(running, 13_000)).verdict).toBe('fail');
  });

  it.each([
    [
      'a task in scope waiting at the stop',
      without(discarding, ({ body }) => isOfTask(body, /^(timed|retried|later)/)),
    ],
    ['probe tasks planted after the stop', without(discarding, ({ body }) => body.type === 'probe.planted')],
    ['changes of the queue witnessed', without(discarding, ({ body }) => body.type === 'store.taskChange')],
    ['the journal read at the end', without(discarding, ({ body }) => body.type === 'store.head')],
  ])('is inconclusive without %s', (obligation, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation } });
  });

  it('asks no probes of a drain, and nothing of a stop of a capability that is no task’s', () => {
    expect(check(PROPERTY, draining).verdict).toBe('pass');
    const on = { scope: 'capability', target: 'read/crm' } as const;
    const draft = without(cleanDrill({ on }), ({ body }) => isOfTask(body, /^(timed|retried)/));
    expect(check(PROPERTY, draft).verdict).toBe('not_applicable');
  });

  it('is an error without the tail, and does not apply without a stop', () => {
    expect(check(PROPERTY, { ...discarding, complete: false }).verdict).toBe('inconclusive');
    expect(check(PROPERTY, withoutStops(discarding)).verdict).toBe('not_applicable');
  });

  it('judges every scope alike', () => {
    expect(check(PROPERTY, cleanDrill({ on: global, queue: 'park' }))).toMatchObject({ verdict: 'pass' });
  });
});

function isOfTask(body: Timed['body'], task: RegExp): boolean {
  return (body.type === 'store.taskChange' || body.type === 'store.task') && task.test(body.task);
}
