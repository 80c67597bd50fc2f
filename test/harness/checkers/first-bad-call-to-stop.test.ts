import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { AlertFacts } from '../../../harness/history/event.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, plus, recordOf, withScenario, without } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const RUN: TraceRun = {
  ...{ dueMs: 0, run: 'runaway-1-001', tenant: 'acme', feature: 'assist', agent: 'agent-1', runaway: true },
  plan: Array.from({ length: 40 }, () => ({
    ...{ capability: 'write/crm', access: 'write' as const, journal: true, serviceMs: 2, deadlineMs: 1_000 },
  })),
};
/** Let loose so long before the clean drill's stop is durable, and first seen 20 ms later. */
const LOOSE = AT.stop;
const FIRST = LOOSE + 20;

function badCall(nth: number, atMs: number, lastsMs = 1): readonly Timed[] {
  const facts = { effect: 9_000 + nth, channel: 1, worker: 'worker-1', run: RUN.run, capability: 'write/crm' };
  const arrived = { type: 'effect.arrived', ...facts, key: `${RUN.run}/${nth}`, step: nth, repeat: false } as const;
  return [
    { atMs, body: arrived },
    { atMs: atMs + lastsMs, body: { type: 'effect.landed', effect: facts.effect } },
  ];
}

interface Parts {
  readonly boundMs?: number | null;
  /** When the last bad call landed. */
  readonly lastMs?: number;
  readonly calls?: number;
  readonly isStopped?: boolean;
  readonly runawayPerSecond?: number;
}

/** The clean drill, with its stop asked for by a detector that has noticed a runaway. */
function drill({
  boundMs = 100,
  lastMs = FIRST + 50,
  calls = 5,
  isStopped = true,
  runawayPerSecond = 4,
}: Parts): DraftDrill {
  const every = calls < 2 ? 0 : (lastMs - 1 - FIRST) / (calls - 1);
  const bad = Array.from({ length: calls }, (_, nth) => badCall(nth, FIRST + nth * every)).flat();
  const clean = withScenario(cleanDrill(), (scenario) => ({
    ...scenario,
    timeline: scenario.timeline.map((entry) =>
      entry.kind === 'flip' ? { ...entry, via: 'detector' as const, runawayPerSecond } : entry,
    ),
    expect: { ...scenario.expect, firstBadCallToStopMs: boundMs },
  }));
  const asked = isStopped
    ? clean
    : changed(clean, (timed) =>
        timed.body.type === 'flip.answered' && timed.body.kind === 'stop'
          ? { ...timed, body: { ...timed.body, ok: false, revision: null, error: 'nobody noticed' } }
          : timed,
      );
  const loose = { type: 'runaway.loose', flip: 1, scope: 'tenant', target: 'acme', runs: 1 } as const;
  return plus({ ...asked, runs: [RUN, ...asked.runs] }, { atMs: LOOSE, body: loose }, ...bad);
}

const judged = (draft: DraftDrill) => judge(recordOf(draft));
const finding = (draft: DraftDrill) => judged(draft).expectations.find(({ name }) => name === 'first_bad_call_to_stop');

describe('first_bad_call_to_stop', () => {
  it('passes when the last worker stopped in time, counted from the first bad call that the witness saw', () => {
    expect(finding(drill({ boundMs: 51 }))).toMatchObject({
      verdict: 'pass',
      reason: expect.stringMatching(
        /^from the first bad call of tenant:acme to the stop of worker-1 it took 50 ms; at most 51 ms/,
      ),
      evidence: { flip: 1, revision: 1, worker: 'worker-1', atMostMs: expect.closeTo(50, 0), badCalls: 5 },
    });
  });

  it('is violated by the lower bound, and open when only the upper bound is above', () => {
    expect(finding(drill({ boundMs: 100, lastMs: FIRST + 300 }))).toMatchObject({
      verdict: 'fail',
      evidence: { boundMs: 100, atLeastMs: expect.closeTo(300, 0) },
    });
    const wide = changed(drill({ boundMs: 100, lastMs: FIRST + 80 }), (timed) =>
      timed.body.type === 'effect.landed' && timed.body.effect === 9_004 ? { ...timed, t1Ms: timed.atMs + 60 } : timed,
    );
    expect(finding(wide)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation: 'a sharp time to stop' } });
  });

  it('blames nobody for a runaway that was slower than it was to be', () => {
    const late = { boundMs: 100, lastMs: FIRST + 300 };
    expect(finding(drill({ ...late, runawayPerSecond: 2_000 }))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a runaway at its rate' },
    });
    expect(finding(drill({ boundMs: 400, lastMs: FIRST + 300, runawayPerSecond: 2_000 }))?.verdict).toBe('pass');
  });

  it('is violated by a runaway that nobody stopped, once it has gone on for longer than the bound', () => {
    expect(finding(drill({ isStopped: false, lastMs: FIRST + 900 }))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(
        /^nobody stopped tenant:acme: 5 bad calls arrived within 899 ms; 100 ms are expected/,
      ),
    });
    expect(finding(drill({ isStopped: false }))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a stop of the runaway on record', badCalls: 5 },
    });
  });

  it('is open when the witness saw no bad call, or no runaway was let loose', () => {
    expect(finding(drill({ calls: 0 }))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a bad call that the witness saw' },
    });
    const none = without(drill({}), ({ body }) => body.type === 'runaway.loose');
    expect(finding(none)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a runaway that was let loose' },
    });
  });

  it('does not apply without a bound, nor to a stop that somebody asks for', () => {
    expect(finding(drill({ boundMs: null }))?.verdict).toBe('not_applicable');
    const asked = withScenario(cleanDrill(), (scenario) => ({
      ...scenario,
      expect: { ...scenario.expect, firstBadCallToStopMs: 100 },
    }));
    expect(finding(asked)?.verdict).toBe('not_applicable');
  });
});

describe('a stop that a detector asks for', () => {
  const alert: AlertFacts = {
    ...{ alert: 1, kind: 'sound', flip: null, detector: 'fleet', id: 'a1', scope: 'tenant', target: 'acme' },
    ...{ mode: 'halt_all', flipId: 'stop-1', content: 'c1' },
  };
  const told: readonly Timed[] = [
    { atMs: LOOSE, t1Ms: FIRST + 30, body: { type: 'alert.published', ...alert } },
    { atMs: FIRST + 30, t1Ms: FIRST + 32, body: { type: 'alert.acknowledged', ...alert, ok: true, error: null } },
  ];

  it('has its way among the milestones, and no request', () => {
    const names = judged(plus(drill({ lastMs: FIRST + 60 }), ...told)).milestones.map(({ name }) => name);
    const way = [
      'runaway of tenant:acme let loose',
      'first bad call of tenant:acme',
      "alert on tenant:acme raised, by a worker's own word",
      'alert on tenant:acme acknowledged by the bus',
      'last worker stopped (tenant:acme)',
    ];
    expect(names.filter((name) => way.includes(name))).toEqual(way);
    expect(names).not.toContain('stop of tenant:acme requested');
    expect(names.filter((name) => name.includes('other alerts'))).toEqual([]);
  });

  it('is of the alert whose flip it is, which the timeline does not name', () => {
    const lost = finding(plus(drill({ isStopped: false, lastMs: FIRST + 900 }), ...told));
    expect(lost?.verdict).toBe('fail');
    const planned = judged(plus(drill({}), ...told)).expectations.find(({ name }) => name === 'went_as_planned');
    expect(planned?.verdict).toBe('pass');
  });
});
