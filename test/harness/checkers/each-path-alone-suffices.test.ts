import { describe, expect, it } from 'vitest';
import type { FaultFacts, FlipFacts } from '../../../harness/history/event.ts';
import { check } from './checking.ts';
import { alertDrill, alertsIn, unacknowledged } from './clean-alerts.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, fault, plus, withScenario, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const PROPERTY = 'each_path_alone_suffices';
const byOperator = alertsIn(cleanDrill());
const byAlert = alertDrill();
const byFile = withScenario(cleanDrill(), (scenario) => ({
  ...scenario,
  timeline: scenario.timeline.map((entry) => (entry.kind === 'flip' ? { ...entry, via: 'file' } : entry)),
}));

let faults = 0;
const broken = (
  what: Pick<FaultFacts, 'kind' | 'target'> & Partial<FaultFacts>,
  fromMs = AT.stop - 500,
  toMs = AT.durable + 1_000,
) => fault({ fault: (faults += 1), plane: null, ...what }, fromMs, toMs);
const killed = broken({ kind: 'kill', target: 'executor-1' });
/** Until after the budget: what goes by file gets to the store as soon as the way is open again. */
const deaf = (target: string) => broken({ kind: 'cut', target, plane: 'registry' }, AT.stop - 500, AT.stop + 2_100);
const cut = (plane: 'alerts' | 'control' | 'registry', target = 'executor-1') => broken({ kind: 'cut', target, plane });

/** The drill whose open calls are closed only so long after the stop. */
const slow = (draft: DraftDrill, afterMs: number): DraftDrill =>
  changed(draft, (timed) => (timed.body.type === 'effect.closed' ? { ...timed, atMs: AT.stop + afterMs } : timed));

/** The drill whose stop goes over the API. */
const overApi = (draft: DraftDrill): DraftDrill =>
  withScenario(draft, (scenario) => ({
    ...scenario,
    timeline: scenario.timeline.map((entry) => (entry.kind === 'flip' ? { ...entry, via: 'api' } : entry)),
  }));

const unanswered = (draft: DraftDrill): DraftDrill =>
  changed(draft, (timed) =>
    timed.body.type === 'flip.answered' && timed.body.kind === 'stop'
      ? { ...timed, body: { ...timed.body, ok: false, revision: null, error: 'nobody put it there' } }
      : timed,
  );

describe(PROPERTY, () => {
  it.each<[string, DraftDrill, string]>([
    ["the operator's stop with the executor killed", plus(byOperator, ...killed), 'the alert path'],
    [
      "the operator's with Kafka paused",
      plus(byOperator, ...broken({ kind: 'pause', target: 'kafka' })),
      'the alert path',
    ],
    ["the operator's with executors cut off from the bus", plus(byOperator, ...cut('alerts')), 'the alert path'],
    [
      "the operator's with both ways to the store shut",
      plus(byOperator, ...cut('control'), ...cut('registry')),
      'the alert path',
    ],
    [
      "the operator's with each of two executors out",
      plus(alertsIn(byOperator, 2), ...killed, ...cut('alerts', 'executor-2')),
      'the alert path',
    ],
    ["the operator's with the API killed", plus(cleanDrill(), ...broken({ kind: 'kill', target: 'api' })), 'the API'],
    ["the operator's with nobody getting to the API", plus(cleanDrill(), ...cut('control', 'api')), 'the API'],
    ["the API's with the executor killed", plus(overApi(byOperator), ...killed), 'the alert path'],
    ["an alert's by the relay alone", plus(byAlert, ...cut('control')), "executors' own statement"],
    [
      "an alert's by the executor's own statement alone",
      plus(byAlert, ...cut('registry')),
      "the relay of executors' feeds",
    ],
    [
      "a file's with every worker cut off from the store's word",
      plus(byFile, ...['worker-1', 'worker-2'].flatMap(deaf)),
      "the store's word to every worker",
    ],
  ])('passes %s', (_, draft, shutPath) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'pass', evidence: { shutPath, workers: 2 } });
  });

  it('fails when a worker took longer than its budget, and names it', () => {
    expect(check(PROPERTY, plus(slow(byOperator, 900), ...killed))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(
        /by the operator with the alert path shut, took 900 ms to stop worker-1; its budget is 600 ms/,
      ),
      evidence: { path: 'postgres', shut: ['kill of executor-1'], regime: 'connected' },
    });
    expect(check(PROPERTY, plus(slow(overApi(byOperator), 900), ...killed))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/over the API with the alert path shut, took 900 ms to stop worker-1/),
      evidence: { path: 'api', regime: 'connected' },
    });
    expect(check(PROPERTY, plus(slow(byAlert, 2_500), ...cut('control')))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/by an alert with executors' own statement shut, took 2500 ms/),
      evidence: { path: 'alert', shut: ['cut of executor-1 (control)'], budgetMs: 2_000 },
    });
  });

  it('fails when the bus took the alert and nobody put its stop into the store', () => {
    expect(check(PROPERTY, plus(unanswered(byAlert), ...cut('control')))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('was acknowledged by the bus, and nobody put it into the store'),
      evidence: { alert: 1, error: 'nobody put it there' },
    });
  });

  it('is inconclusive about a stop that nobody took for certain, a fault nobody observed, or one that another stop covers', () => {
    const silent = unacknowledged(plus(unanswered(byAlert), ...cut('control')), 1);
    const blind = plus(byOperator, ...killed.filter(({ body }) => body.type !== 'fault.observed'));
    const common = { flip: 9, kind: 'stop', scope: 'global', target: '*', mode: 'halt_all', queue: 'discard' } as const;
    const facts: FlipFacts = { ...common, engagements: [], expected: 'taken', id: 'wide' };
    const wide = plus(
      byOperator,
      ...broken({ kind: 'kill', target: 'executor-1' }, AT.stop - 50),
      { atMs: AT.stop - 100, body: { type: 'flip.requested', ...facts } },
      { atMs: AT.stop - 90, body: { type: 'flip.answered', ...facts, ok: true, error: null, revision: 9 } },
    );
    for (const [draft, obligation] of [
      [silent, 'a stop on record'],
      [blind, 'all receipts of the kill of executor-1'],
      [wide, 'a stop that no other covers'],
    ] as const)
      expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation } });
  });

  it.each<[string, DraftDrill]>([
    ['nothing was broken', byOperator],
    ['there are no executors', plus(cleanDrill(), ...killed)],
    ['one executor of two is well', plus(alertsIn(byOperator, 2), ...killed)],
    ['executors have one way to the store left', plus(byOperator, ...cut('control'))],
    ['the connection is slow', plus(byOperator, ...broken({ kind: 'latency', target: 'executor-1', plane: 'alerts' }))],
    [
      'the path was open again before the stop was durable',
      plus(byOperator, ...broken({ kind: 'kill', target: 'executor-1' }, AT.stop - 500, AT.stop + 2)),
    ],
    [
      'the path was open when the stop was asked for',
      plus(byOperator, ...broken({ kind: 'kill', target: 'executor-1' }, AT.stop + 2)),
    ],
    [
      'the store was away as well',
      plus(byOperator, ...killed, ...broken({ kind: 'kill', target: 'postgres' }, AT.stop + 200)),
    ],
    ['the stop of an alert is with its executor killed', plus(byAlert, ...killed)],
  ])('does not apply when %s', (_, draft) => {
    expect(check(PROPERTY, draft).verdict).toBe('not_applicable');
  });

  it('is an error without the end of the history', () => {
    const torn = without(plus(byOperator, ...killed), () => false);
    expect(check(PROPERTY, { ...torn, complete: false }).verdict).toBe('inconclusive');
  });
});
