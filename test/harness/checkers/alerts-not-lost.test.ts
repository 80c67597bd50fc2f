import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { FaultFacts } from '../../../harness/history/event.ts';
import { check } from './checking.ts';
import {
  ALERTS,
  FLIPS,
  RECORDS,
  STORM,
  alertDrill,
  flipOf,
  publishedAt,
  recorded,
  unacknowledged,
} from './clean-alerts.ts';
import type { AlertRecord } from './clean-alerts.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, fault, plus, recordOf, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const PROPERTY = 'alerts_not_lost';
const clean = alertDrill();
const killed: FaultFacts = { fault: 1, kind: 'kill', target: 'executor-1', plane: null };

const recordsWith = (nth: number, ...instead: readonly AlertRecord[]): readonly AlertRecord[] => [
  ...RECORDS.slice(0, nth - 1),
  ...instead,
  ...RECORDS.slice(nth),
];
const flipsWith = (nth: number, more: Parameters<typeof flipOf>[1]) =>
  FLIPS.map((flip) => (flip.id === flipOf(nth).id ? flipOf(nth, more) : flip));

describe(PROPERTY, () => {
  it('passes a drill in which every acknowledged alert is on record, as does every other property', () => {
    expect(check(PROPERTY, clean)).toMatchObject({
      verdict: 'pass',
      evidence: { acknowledged: 8, sound: 4, again: 1, stale: 1, poison: 2 },
    });
    expect(judge(recordOf(clean))).toMatchObject({ verdict: 'pass', worst: null });
  });

  it('lets an alert be on record that the bus never acknowledged, or not', () => {
    expect(check(PROPERTY, unacknowledged(clean, 4)).verdict).toBe('pass');
    const without4 = alertDrill({ records: recordsWith(4), flips: FLIPS.slice(0, -1) });
    expect(check(PROPERTY, unacknowledged(without4, 4)).verdict).toBe('pass');
  });

  it('takes the copies of an alert that was sent until the bus confirmed it', () => {
    const again = {
      atMs: publishedAt(4) - 5,
      body: { type: 'alert.published', ...ALERTS[3] },
    } as DraftDrill['timed'][number];
    const copied = alertDrill({ records: [...RECORDS, { ...recorded('duplicate', 4) }] });
    expect(check(PROPERTY, plus(copied, again)).verdict).toBe('pass');
  });

  it.each<[string, DraftDrill, RegExp]>([
    [
      'a sound alert is not on record',
      alertDrill({ records: recordsWith(3), flips: FLIPS.filter(({ id }) => id !== 'alert-3') }),
      /alert 3 \(sound on agent:nobody-3\) was acknowledged, and is not on record/,
    ],
    ['a stale alert is not on record', alertDrill({ records: recordsWith(6) }), /alert 6 .* is not on record/],
    [
      'a sound alert has its flip, and no record',
      alertDrill({ records: recordsWith(3) }),
      /alert 3 .* is not on record/,
    ],
    [
      'a sound alert is a duplicate of nothing',
      alertDrill({ records: recordsWith(3, recorded('duplicate', 3)) }),
      /alert 3 .* became no flip/,
    ],
    [
      'a sound alert is recorded as stale',
      alertDrill({ records: recordsWith(3, recorded('stale', 3)) }),
      /alert 3 .* is recorded as stale, and nothing had overtaken it/,
    ],
    [
      'a copy became a second flip',
      alertDrill({ records: recordsWith(5, recorded('flip', 5)) }),
      /alert 2 .* became a flip 2 times/,
    ],
    [
      'a copy is not on record',
      alertDrill({ records: recordsWith(5) }),
      /alert 2 .* is on the bus 2 times, and on record 1 times/,
    ],
    [
      'the flip of a record is not in the store',
      alertDrill({ flips: FLIPS.slice(0, -1) }),
      /alert 4 .* the store has no flip 'alert-4'/,
    ],
    [
      'its flip stops somebody else',
      alertDrill({ flips: flipsWith(4, { target: 'agent-1' }) }),
      /alert 4 .* it stops agent:agent-1 in mode halt_all/,
    ],
    [
      'its flip is in another mode',
      alertDrill({ flips: flipsWith(4, { mode: 'emergency' }) }),
      /alert 4 .* in mode emergency/,
    ],
    [
      'its flip names another detector',
      alertDrill({ flips: flipsWith(4, { triggeredBy: 'operator' }) }),
      /alert 4 .* was triggered by 'operator', not by 'drill'/,
    ],
    [
      'it is on record under another stop',
      alertDrill({ records: recordsWith(4, { ...recorded('flip', 4), flipId: 'alert-3' }) }),
      /alert 4 .* under another name: stop 'alert-3'/,
    ],
    [
      'poison became a flip',
      alertDrill({ records: recordsWith(7, { ...recorded('flip', 2), content: 'content-7' }) }),
      /alert 7 \(poison\) is recorded as a flip/,
    ],
    [
      'poison has no dead letter',
      alertDrill({ letters: ['content-7'] }),
      /alert 8 \(poison\) was acknowledged, and is not among the dead letters/,
    ],
    [
      'poison has no record',
      alertDrill({ records: RECORDS.slice(0, -1) }),
      /2 alerts of poison were acknowledged, and 1 are on record/,
    ],
    [
      'poison is on record more often than there are letters',
      alertDrill({ records: [...RECORDS, recorded('poison', 7)] }),
      /3 alerts are on record as poison, with 2 dead letters/,
    ],
    [
      'a sound alert is a dead letter',
      alertDrill({ letters: ['content-3', 'content-7', 'content-8'] }),
      /alert 3 .* is among the dead letters: junk/,
    ],
    [
      'a dead letter is of nobody',
      alertDrill({ letters: ['other', 'content-7', 'content-8'] }),
      /dead letters has one of an alert that nobody published/,
    ],
    [
      'a record is of nobody',
      alertDrill({ records: [...RECORDS, { ...recorded('flip', 2), content: 'other' }] }),
      /record 0\/8 of drill.alerts is a flip of an alert that nobody published/,
    ],
    [
      'something is called expired',
      alertDrill({ records: [...RECORDS, recorded('expired', 2)] }),
      /record 0\/8 of drill.alerts calls an alert expired/,
    ],
    ['the partition stands before its records', alertDrill({ position: 6 }), /stands at 6, though 7 is on record/],
    ['the partition was never placed', alertDrill({ position: null }), /was never placed, though 7 is on record/],
    [
      'a position was passed without a record',
      alertDrill({ position: 11 }),
      /stands at 11, and nothing is on record of 8/,
    ],
  ])('fails when %s', (_, draft, reason) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason) });
  });

  it('says of a lost alert when it was sent, what was broken then, what the store has, and whether its place was passed', () => {
    const kill = fault(killed, publishedAt(3) + 1, publishedAt(3) + 800);
    const lost = plus(alertDrill({ records: recordsWith(3), flips: FLIPS, position: 8 }), ...kill);
    expect(check(PROPERTY, lost)).toMatchObject({
      verdict: 'fail',
      evidence: {
        alert: 3,
        alertId: 'id-3',
        publishedAtMs: publishedAt(3) - AT.traffic,
        acknowledgedAtMs: publishedAt(3) + 2 - AT.traffic,
        faults: ['kill of executor-1'],
        store: ['flip at revision 4'],
        passedOver: { position: 7, next: 8 },
      },
    });
  });

  it('passes with an executor killed while an alert is in flight, or in its hands', () => {
    const during = fault(killed, publishedAt(3) - 1, publishedAt(3) + 700);
    expect(check(PROPERTY, plus(clean, ...during)).verdict).toBe('pass');
    const kill = fault(killed, STORM + 2_000, STORM + 2_700);
    const silent = without(
      clean,
      ({ body }) =>
        body.type === 'executor.said' && body.said['event'] === 'alert.answered' && body.said['flipId'] === 'alert-4',
    );
    expect(check(PROPERTY, plus(silent, ...kill)).verdict).toBe('pass');
  });

  it('is inconclusive about a fault on an executor with no alert in flight', () => {
    const idle = fault(killed, STORM + 2_000, STORM + 2_700);
    expect(check(PROPERTY, plus(clean, ...idle))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'an alert in flight while an executor was down', faults: ['kill of executor-1'] },
    });
  });

  it.each<[string, FaultFacts, number | null]>([
    ['the executor is killed and not back', killed, null],
    ['the executor is back shortly before the end', killed, AT.drain - 100],
    ['the bus is away', { ...killed, target: 'kafka' }, null],
    ['its connection to the bus is shut', { ...killed, kind: 'half-open', plane: 'alerts' }, null],
  ])('is inconclusive about what is missing when %s', (_, facts, toMs) => {
    const draft = alertDrill({ records: RECORDS.slice(0, 3), flips: FLIPS.slice(0, -1), letters: [] });
    expect(check(PROPERTY, plus(draft, ...fault(facts, publishedAt(4) - 1, toMs)))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'an executor at work for 5000 ms before the end' },
    });
  });

  it('excuses nothing by a second executor that is out, a fault that is long over, or an end of its own', () => {
    const draft = alertDrill({ records: RECORDS.slice(0, 3), flips: FLIPS.slice(0, -1), letters: [] });
    const two = { ...draft, scenario: { ...draft.scenario, fleet: { ...draft.scenario.fleet, executors: 2 } } };
    const before = fault(killed, AT.stop + 100, AT.stop + 900);
    const crash = {
      atMs: publishedAt(4),
      body: { type: 'executor.exited', executor: 'executor-1', code: 1, signal: null, expected: false },
    } as const;
    for (const lost of [
      plus(two, ...fault(killed, publishedAt(4) - 1, null)),
      plus(draft, ...before),
      plus(draft, crash),
    ])
      expect(check(PROPERTY, lost)).toMatchObject({
        verdict: 'fail',
        reason: expect.stringMatching(/alert 4 .* is not on record/),
      });
  });

  it('is inconclusive when the store was not read, or the bus acknowledged nothing', () => {
    const unread = without(clean, ({ body }) => body.type === 'store.head');
    expect(check(PROPERTY, unread)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'the store read at the end' },
    });
    const refused = changed(clean, (timed) =>
      timed.body.type === 'alert.acknowledged' ? { ...timed, body: { ...timed.body, ok: false } } : timed,
    );
    expect(check(PROPERTY, refused)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'an alert that the bus acknowledged' },
    });
  });

  it('is an error when an alert is acknowledged that was never published', () => {
    const stray = without(clean, ({ body }) => body.type === 'alert.published' && body.alert === 3);
    expect(judge(recordOf(stray)).verdict).toBe('error');
  });

  it('does not apply to a drill without alerts', () => {
    expect(check(PROPERTY, cleanDrill()).verdict).toBe('not_applicable');
  });
});
