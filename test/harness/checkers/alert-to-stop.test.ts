import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { FaultFacts } from '../../../harness/history/event.ts';
import { renderReport } from '../../../harness/report/terminal.ts';
import { alertDrill, alertsIn, unacknowledged } from './clean-alerts.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, fault, plus, recordOf, withScenario, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const clean = alertDrill();
const bound = (draft: DraftDrill, alertToStopMs: number | null): DraftDrill =>
  withScenario(draft, (scenario) => ({ ...scenario, expect: { ...scenario.expect, alertToStopMs } }));
const expectation = (draft: DraftDrill, name = 'alert_to_stop') =>
  judge(recordOf(draft)).expectations.find((one) => one.name === name);
const slow = (draft: DraftDrill, afterMs: number, widthMs = 0): DraftDrill =>
  changed(draft, (timed) =>
    timed.body.type === 'effect.closed'
      ? { ...timed, atMs: AT.stop + afterMs, t1Ms: AT.stop + afterMs + widthMs + 0.001 }
      : timed,
  );

describe('alert_to_stop', () => {
  it('passes when the last exposed worker stopped in time, counted from the publishing', () => {
    expect(expectation(bound(clean, 15))).toMatchObject({
      verdict: 'pass',
      reason: expect.stringMatching(
        /from the alert on tenant:acme to the stop of worker-\d it took 15 ms; at most 15 ms/,
      ),
      evidence: { alert: 1, atMostMs: expect.closeTo(14.8, 1) },
    });
  });

  it('is violated by the lower bound, and open when only the upper bound is above', () => {
    expect(expectation(bound(slow(clean, 500), 400))).toMatchObject({ verdict: 'fail', evidence: { boundMs: 400 } });
    expect(expectation(bound(slow(clean, 350, 100), 400))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a sharp time to stop' },
    });
  });

  it('is inconclusive without the stop on record, and does not apply without a bound or without alerts', () => {
    const unanswered = without(bound(clean, 400), ({ body }) => body.type === 'flip.answered');
    expect(expectation(unanswered)?.verdict).toBe('inconclusive');
    expect(expectation(clean)?.verdict).toBe('not_applicable');
    expect(expectation(bound(cleanDrill(), 400))?.verdict).toBe('not_applicable');
  });
});

describe('milestones of alerts', () => {
  it('go from the publishing to the last worker stopped, an executor’s word being marked as its own', () => {
    const judgement = judge(recordOf(clean));
    const names = judgement.milestones.map(({ name }) => name);
    const way = [
      'stop of tenant:acme requested',
      'alert on tenant:acme published',
      'alert on tenant:acme acknowledged by the bus',
      "alert on tenant:acme read, by executor-1's own word",
      "stop of tenant:acme enforced locally, by executor-1's own word",
      'stop of tenant:acme durable',
      'last worker stopped (tenant:acme)',
      'first of 7 other alerts published',
      'last of 7 other alerts acknowledged by the bus',
    ];
    expect(names.filter((name) => way.includes(name))).toEqual(way);
    const text = renderReport(judgement, { width: 100, colour: false, reproduce: 'killdrill run x' });
    for (const name of way) expect(text).toContain(name);
  });
});

describe('the budget of a stop that an alert asks for', () => {
  const late = slow(clean, 900);
  const broken = (what: Pick<FaultFacts, 'kind' | 'target'> & Partial<FaultFacts>) =>
    fault({ fault: 1, plane: null, ...what }, AT.stop - 300, AT.stop + 300);
  const onKafka = (draft: DraftDrill): DraftDrill =>
    changed(draft, (timed) =>
      timed.body.type === 'drill' ? { ...timed, body: { ...timed.body, environment: 'containers' } } : timed,
    );

  it.each<[string, DraftDrill]>([
    ['with its executor killed', plus(late, ...broken({ kind: 'kill', target: 'executor-1' }))],
    [
      'with its executor slow to reach the bus',
      plus(late, ...broken({ kind: 'latency', target: 'executor-1', plane: 'alerts' })),
    ],
    ['with Kafka away', plus(late, ...broken({ kind: 'kill', target: 'kafka' }))],
    [
      'with one of two executors on Kafka killed',
      plus(onKafka(alertsIn(late, 2)), ...broken({ kind: 'kill', target: 'executor-2' })),
    ],
  ])('is that of a cut %s', (_, draft) => {
    expect(expectation(draft, 'time_to_stop_cut')?.verdict).toBe('pass');
    expect(expectation(draft, 'time_to_stop_connected')?.verdict).toBe('not_applicable');
  });

  it.each<[string, DraftDrill]>([
    ['with nothing broken', late],
    [
      'where another executor reads the same',
      plus(alertsIn(late, 2), ...broken({ kind: 'kill', target: 'executor-2' })),
    ],
    [
      'when executors hear of no flips',
      plus(late, ...broken({ kind: 'cut', target: 'executor-1', plane: 'registry' })),
    ],
    [
      'for a stop of the operator',
      plus(slow(alertsIn(cleanDrill()), 900), ...broken({ kind: 'kill', target: 'executor-1' })),
    ],
  ])('stays connected %s', (_, draft) => {
    expect(expectation(draft, 'time_to_stop_connected')?.verdict).toBe('fail');
  });
});

describe('a timeline with alerts', () => {
  it('went as planned once the bus has acknowledged all of them', () => {
    expect(expectation(clean, 'went_as_planned')?.verdict).toBe('pass');
    expect(expectation(unacknowledged(clean, 7), 'went_as_planned')).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'every planned alert acknowledged', planned: 7, acknowledged: 6 },
    });
  });

  it('says why a stop of an alert is not there', () => {
    const gone = changed(clean, (timed) =>
      timed.body.type === 'flip.answered' && timed.body.kind === 'stop'
        ? { ...timed, body: { ...timed.body, ok: false, revision: null, error: 'no executor put it there' } }
        : timed,
    );
    expect(expectation(gone, 'went_as_planned')).toMatchObject({
      verdict: 'inconclusive',
      evidence: { error: 'no executor put it there' },
    });
  });
});
