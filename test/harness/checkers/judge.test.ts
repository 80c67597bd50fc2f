import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../harness/checkers/checker.ts';
import { error, fail, inconclusive, notApplicable, pass } from '../../../harness/checkers/finding.ts';
import { fold, judge } from '../../../harness/checkers/judge.ts';
import { CHECKERS } from '../../../harness/checkers/registry.ts';
import { runCheckers } from '../../../harness/checkers/run-checkers.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, effect, fault, plus, recordOf, withScenario, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const clean = cleanDrill();
const say = (draft: DraftDrill) => judge(recordOf(draft));
const verdictOf = (draft: DraftDrill, name: string): Verdict | undefined => {
  const { properties, expectations } = say(draft);
  return [...properties, ...expectations].find((one) => one.name === name)?.verdict;
};

describe('judge', () => {
  it.each([
    { scope: 'tenant', target: 'acme' },
    { scope: 'global', target: '*' },
    { scope: 'capability', target: 'write/mail' },
    { scope: 'run', target: 'primed-run' },
  ] as const)('passes a clean drill that stops $scope:$target', (on) => {
    expect(say(cleanDrill({ on }))).toMatchObject({ verdict: 'pass', exitCode: 0, worst: null });
  });

  it('says what was measured under each flip', () => {
    const { flips, effects, milestones, notes } = say(clean);
    expect(flips).toMatchObject([
      {
        revision: 1,
        kind: 'stop',
        scope: 'tenant',
        target: 'acme',
        mode: 'halt_all',
        requestedAt: 3_000,
        effectsAfterFlip: 0,
        effectsAfterBudget: 0,
        suspendedEffects: 0,
        intentsAfterStop: 0,
      },
      { revision: 2, kind: 'release', mode: null, timeToStop: null, effectsAfterFlip: null },
    ]);
    const workers = ['worker-1', 'worker-2'].map((worker) => ({
      worker,
      state: 'stopped',
      ms: expect.closeTo(15, 1),
      regime: 'connected',
    }));
    expect(flips[0]?.timeToStop).toEqual({ workers, maxMs: expect.closeTo(15, 1), n: 2 });
    expect(effects).toEqual([{ revision: 1, before: 132, during: 0, after: 0, straddling: 0 }]);
    expect(milestones.map(({ name }) => name)).toEqual([
      'traffic begins',
      'stop of tenant:acme requested',
      'stop of tenant:acme durable',
      'last worker stopped (tenant:acme)',
      'release of tenant:acme requested',
      'release of tenant:acme durable',
      'tenant:acme flows again',
      'arrivals end',
    ]);
    expect(notes).toEqual([expect.stringContaining('T+60 s not established')]);
  });

  it('is the same for the same record, read again from its JSON', () => {
    const record = recordOf(clean);
    expect(judge(JSON.parse(JSON.stringify(record)) as typeof record)).toEqual(judge(record));
  });

  it('fails, with the witness as the worst finding, when one effect is moved behind the budget', () => {
    const draft = plus(
      clean,
      ...effect({ atMs: 5_000, worker: 1, run: 'run-0', capability: 'model/chat', key: 'late' }),
    );
    expect(say(draft)).toMatchObject({
      verdict: 'fail',
      exitCode: 1,
      worst: { name: 'no_effect_after_stop', evidence: { run: 'run-0' } },
    });
    expect(verdictOf(draft, 'effects_after_budget')).toBe('fail');
  });

  it('judges the time to stop by regime', () => {
    const slow = changed(clean, (timed) =>
      timed.body.type === 'effect.closed' ? { ...timed, atMs: AT.stop + 900 } : timed,
    );
    expect(verdictOf(slow, 'time_to_stop_connected')).toBe('fail');
    const kill = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, AT.stop - 300, AT.stop + 300);
    expect(verdictOf(plus(slow, ...kill), 'time_to_stop_cut')).toBe('pass');
    expect(verdictOf(plus(slow, ...kill), 'time_to_stop_connected')).toBe('not_applicable');
  });

  it('says censored of a call that outlives the stop, and died of a worker that did', () => {
    const open = without(clean, ({ body }) => body.type === 'effect.closed');
    expect(say(open).flips[0]?.timeToStop).toMatchObject({
      workers: [{ state: 'censored', ms: 6_000 }, { state: 'censored' }],
      maxMs: null,
      n: 0,
    });
    const exit = {
      atMs: AT.stop + 18,
      body: { type: 'worker.exited', worker: 'worker-1', channel: 1, code: null, signal: 'SIGKILL', expected: true },
    } as const;
    const dead = plus(
      without(clean, ({ body }) => body.type === 'worker.exited' && body.channel === 1),
      exit,
    );
    expect(say(dead).flips[0]?.timeToStop).toMatchObject({
      workers: [{ state: 'died', ms: 18 }, { state: 'stopped' }],
      n: 1,
    });
  });

  it('fails a steady state that is too slow', () => {
    const hasty = withScenario(clean, (scenario) => ({
      ...scenario,
      steadyState: { forMs: 2_000, effectsPerSecond: { min: 500 } },
    }));
    expect(say(hasty)).toMatchObject({
      verdict: 'fail',
      worst: { name: 'steady_state', reason: expect.stringContaining('at least 500 are expected') },
    });
    const lag = { atMs: 0, t1Ms: 500, body: { type: 'loop.lag', lagMs: 500 } } as const;
    expect(say(plus(hasty, lag))).toMatchObject({
      verdict: 'inconclusive',
      worst: { name: 'steady_state', reason: expect.stringContaining('the witness itself stood still') },
    });
  });

  it('is inconclusive, exit 2, and says why, without any traffic', () => {
    const idle = without(clean, ({ body }) => 'run' in body || 'effect' in body || body.type === 'worker.said');
    expect(say(idle)).toMatchObject({ verdict: 'inconclusive', exitCode: 2 });
    expect(say(idle).properties.filter(({ verdict }) => verdict === 'pass')).toEqual([]);
  });

  it('is inconclusive when the conductor gave up, a receipt is missing, or a planned flip was not acknowledged', () => {
    const gaveUp = {
      atMs: 4_000,
      body: { type: 'conductor.gaveUp', what: 'when: exposed', missing: 'a held call on worker-2' },
    } as const;
    expect(say(plus(clean, gaveUp))).toMatchObject({
      verdict: 'inconclusive',
      worst: { name: 'went_as_planned', evidence: { missing: 'a held call on worker-2' } },
    });
    const blind = fault({ fault: 1, kind: 'cut', target: 'worker-1', plane: 'registry' }, 12_000, 12_100).filter(
      ({ body }) => body.type !== 'fault.observed',
    );
    expect(say(plus(clean, ...blind)).worst).toMatchObject({
      name: 'went_as_planned',
      reason: expect.stringContaining('fault.observed'),
    });
  });

  it('is an error, exit 4, when an effect cannot be attributed', () => {
    const stray = {
      atMs: 4_000,
      body: { type: 'effect.unattributed', port: 1, path: '/x', why: 'wrong token' },
    } as const;
    expect(say(plus(clean, stray))).toMatchObject({ verdict: 'error', exitCode: 4 });
    expect(
      say(plus(clean, ...effect({ atMs: 4_000, worker: 1, run: 'nobody', capability: 'x', key: 'k' }))),
    ).toMatchObject({ verdict: 'error' });
  });

  it('is inconclusive, exit 2, when the tail is missing, and says up to where it goes', () => {
    expect(say({ ...clean, complete: false })).toMatchObject({
      verdict: 'inconclusive',
      exitCode: 2,
      notes: expect.arrayContaining([
        expect.stringMatching(/^The record is not whole: .* \d+\.\d s after traffic began, in the phase \w+\./),
      ]) as string[],
    });
  });

  it('still fails a truncated history that holds a violation', () => {
    const draft = plus(
      clean,
      ...effect({ atMs: 5_000, worker: 1, run: 'run-0', capability: 'model/chat', key: 'late' }),
    );
    expect(say({ ...draft, complete: false }).verdict).toBe('fail');
  });

  it('judges the selected properties only, and calls an unknown one an error', () => {
    const selecting = (...properties: readonly string[]) =>
      withScenario(clean, (scenario) => ({ ...scenario, expect: { ...scenario.expect, properties } }));
    expect(say(selecting('flips_on_record')).properties.map(({ name }) => name)).toEqual(['flips_on_record']);
    expect(say(selecting('fails_closed'))).toMatchObject({ verdict: 'inconclusive' });
    expect(say(selecting('flips_on_record', 'nonsense'))).toMatchObject({
      verdict: 'error',
      worst: { name: 'nonsense' },
    });
  });

  it('gives junk its judgement too', () => {
    expect(judge({ ...recordOf(clean), events: [] }).verdict).not.toBe('pass');
    const orphan = changed(clean, (timed) =>
      timed.body.type === 'flip.requested' ? { ...timed, body: { ...timed.body, scope: 'galaxy' } } : timed,
    );
    expect(say(orphan)).toMatchObject({ verdict: 'error', exitCode: 4 });
  });
});

describe('fold', () => {
  const named = (verdict: Verdict) => {
    const finding = {
      pass: pass('p'),
      fail: fail('f', {}),
      inconclusive: inconclusive('o', 'i'),
      not_applicable: notApplicable('n'),
      error: error('e'),
    }[verdict];
    return { name: verdict, ...finding };
  };

  it.each([
    [['pass', 'inconclusive', 'error', 'fail'], 'fail'],
    [['pass', 'inconclusive', 'error'], 'error'],
    [['pass', 'inconclusive', 'not_applicable'], 'inconclusive'],
    [['pass', 'not_applicable'], 'pass'],
    [['not_applicable', 'not_applicable'], 'inconclusive'],
    [[], 'inconclusive'],
  ] as const)('folds %j to %s', (verdicts, folded) => {
    expect(fold(verdicts.map(named), [])).toBe(folded);
  });

  it('does not take met expectations for a property', () => {
    expect(fold([named('not_applicable')], [named('pass')])).toBe('inconclusive');
    expect(fold([named('pass')], [named('fail')])).toBe('fail');
  });
});

describe('runCheckers', () => {
  it('makes an error of a checker that throws', () => {
    const broken = {
      name: 'broken',
      claim: 'it throws',
      check: () => {
        throw new RangeError('off the end');
      },
    };
    expect(runCheckers(recordOf(clean), [broken])).toMatchObject([
      { name: 'broken', verdict: 'error', reason: expect.stringContaining('off the end') },
    ]);
  });

  it('names every property once, with a claim', () => {
    expect(new Set(CHECKERS.map(({ name }) => name)).size).toBe(CHECKERS.length);
    for (const { claim } of CHECKERS) expect(claim).toMatch(/^[A-Z].*\.$/);
  });
});
