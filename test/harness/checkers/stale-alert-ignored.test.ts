import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../src/flip-text.ts';
import { check } from './checking.ts';
import { FLIPS, RECORDS, alertDrill, flipOf, publishedAt, recorded, unacknowledged } from './clean-alerts.ts';
import { cleanDrill, storeRows } from './clean-drill.ts';
import { changed, fault, plus, withScenario, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const PROPERTY = 'stale_alert_ignored';
const clean = alertDrill();
const TRIPPED = publishedAt(6) + 4;

const instead = (kind: Parameters<typeof recorded>[0]) => [
  ...RECORDS.slice(0, 5),
  recorded(kind, 6),
  ...RECORDS.slice(6),
];

/** The drill in which the stale alert stops its tenant again. */
function tripped(): DraftDrill {
  const draft = alertDrill({ records: instead('flip'), flips: [...FLIPS, flipOf(6)] });
  return changed(draft, (timed) =>
    timed.body.type === 'store.flip' && timed.body.revision === FLIPS.length + 1 ? { ...timed, atMs: TRIPPED } : timed,
  );
}

const onStore = (kind: 'kill' | 'latency', target: string, plane: 'control' | 'alerts' | null, fromMs: number) =>
  fault({ fault: 1, kind, target, plane }, fromMs, fromMs + 300);

describe(PROPERTY, () => {
  it('passes when every stale alert is on record as such and stopped nobody', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass', evidence: { stale: 1, scope: 'tenant:acme' } });
  });

  it('fails when one opens an engagement, acknowledged or not, and names both', () => {
    for (const draft of [tripped(), unacknowledged(tripped(), 6)])
      expect(check(PROPERTY, draft)).toMatchObject({
        verdict: 'fail',
        reason:
          'alert 6 (stale on tenant:acme) opened an engagement at revision 6, so that tenant:acme was stopped again',
        evidence: { alert: 6, revision: 6, publishedAtMs: publishedAt(6) - 100 },
      });
  });

  it.each<[string, DraftDrill, RegExp]>([
    [
      'recorded as a duplicate',
      alertDrill({ records: instead('duplicate') }),
      /is on record as duplicate, not as stale/,
    ],
    [
      'not recorded',
      alertDrill({ records: [...RECORDS.slice(0, 5), ...RECORDS.slice(6)] }),
      /was acknowledged, and is not on record/,
    ],
  ])('fails when one is %s', (_, draft, reason) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason) });
  });

  it('leaves it open when a fault on the store, or on the way to it, let it trip', () => {
    for (const [kind, target, plane] of [
      ['kill', 'postgres', null],
      ['latency', 'executor-1', 'control'],
    ] as const) {
      const doubtful = plus(tripped(), ...onStore(kind, target, plane, publishedAt(6) - 50));
      expect(check(PROPERTY, doubtful)).toMatchObject({
        verdict: 'inconclusive',
        evidence: { obligation: 'a store that answered while the stale alert was read' },
      });
    }
  });

  it('takes no excuse from a fault before or after, an executor that was killed, or its bus', () => {
    for (const [kind, target, plane, fromMs] of [
      ['kill', 'postgres', null, publishedAt(6) - 2_000],
      ['kill', 'postgres', null, TRIPPED + 500],
      ['kill', 'executor-1', null, publishedAt(6) - 50],
      ['latency', 'executor-1', 'alerts', publishedAt(6) - 50],
    ] as const)
      expect(check(PROPERTY, plus(tripped(), ...onStore(kind, target, plane, fromMs))).verdict).toBe('fail');
  });

  it('is inconclusive when nothing had overtaken it, the bus did not take it, none was published, or the store was not read', () => {
    const open = plus(
      without(alertDrill(), ({ body }) => body.type === 'store.flip' || body.type === 'store.head'),
      ...storeRows(FLIPS.filter(({ kind }) => kind === 'stop').map(canonicalText)),
    );
    const silent = without(clean, ({ body }) => 'alert' in body && body.alert === 6);
    const unread = without(clean, ({ body }) => body.type === 'store.head');
    for (const [draft, obligation] of [
      [open, 'a release of what the stale alert asks for'],
      [unacknowledged(clean, 6), 'a stale alert that the bus acknowledged'],
      [silent, 'a stale alert that the bus acknowledged'],
      [unread, 'the store read at the end'],
    ] as const)
      expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation } });
  });

  it('does not apply without stale alerts', () => {
    expect(check(PROPERTY, cleanDrill()).verdict).toBe('not_applicable');
    const none = withScenario(
      without(clean, ({ body }) => 'alert' in body && body.alert === 6),
      (scenario) => ({ ...scenario, timeline: scenario.timeline.filter(({ kind }) => kind !== 'alerts') }),
    );
    expect(check(PROPERTY, none).verdict).toBe('not_applicable');
  });

  describe('flips_on_record', () => {
    it('passes what sound alerts asked for', () => {
      expect(check('flips_on_record', clean)).toMatchObject({ verdict: 'pass', evidence: { flips: 5 } });
    });

    it('fails on a stop that a stale alert made, and lets it be where that is in doubt', () => {
      expect(check('flips_on_record', tripped())).toMatchObject({
        verdict: 'fail',
        reason: 'revision 6 is a stop of tenant:acme that alert 6 (stale on tenant:acme) may not have',
      });
      const doubtful = plus(tripped(), ...onStore('kill', 'postgres', null, publishedAt(6) - 50));
      expect(check('flips_on_record', doubtful).verdict).toBe('pass');
    });

    it('fails on the stop of an alert that nobody published', () => {
      const stray = without(clean, ({ body }) => 'alert' in body && body.alert === 4);
      expect(check('flips_on_record', stray)).toMatchObject({
        verdict: 'fail',
        reason: 'revision 5 is a stop of agent:nobody-4 that nobody requested',
      });
    });

    it('lets a stop that an alert asked for be in the store later than the harness looked', () => {
      const late = changed(clean, (timed) =>
        timed.body.type === 'flip.answered' && timed.body.kind === 'stop'
          ? { ...timed, body: { ...timed.body, ok: false, revision: null, error: 'not there' } }
          : timed,
      );
      expect(check('flips_on_record', late).verdict).toBe('pass');
      expect(check('no_spurious_halt', late).verdict).not.toBe('fail');
    });
  });
});
