import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, fault, find, plus, without, withoutStops } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const PROPERTY = 'in_flight_cancelled';
const clean = cleanDrill();
const held = find(clean, 'effect.arrived', ({ run }) => run === 'primed-1').body;
const closed = find(clean, 'effect.closed', ({ effect }) => effect === held.effect);

function closing(change: Partial<typeof closed>): DraftDrill {
  return changed(clean, (timed) => (timed === closed ? { ...closed, ...change } : timed));
}

describe(PROPERTY, () => {
  it('passes when every worker closed its held call in time', () => {
    expect(check(PROPERTY, clean)).toMatchObject({
      verdict: 'pass',
      evidence: { held: 3, workers: ['worker-1', 'worker-2'] },
    });
  });

  it('passes a slow downstream that lands after the abort', () => {
    const landed = { atMs: AT.stop + 3_000, body: { type: 'effect.landed', effect: held.effect } } as const;
    expect(check(PROPERTY, plus(clean, landed)).verdict).toBe('pass');
  });

  it('counts a call that was closed within the loop turn of the request, whose end may by its bounds lie before it', () => {
    const sameTurn = closing({ atMs: AT.stop - 1, t1Ms: AT.stop + 12 });
    expect(check(PROPERTY, sameTurn)).toMatchObject({ verdict: 'pass', evidence: { held: 3 } });
  });

  it.each([
    ['closed later', closing({ atMs: AT.stop + 700 }), /closed by its worker 700 ms after/],
    ['never closed', without(clean, (timed) => timed === closed), /was never closed/],
    ['landed', closing({ body: { type: 'effect.landed', effect: held.effect } as never }), /landed 15 ms after/],
    ['closed by the harness', closing({ body: { ...closed.body, by: 'harness' } }), /harness only/],
  ])('fails when a held call was %s', (_, draft, reason) => {
    expect(check(PROPERTY, draft)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(reason),
      evidence: { effect: held.effect, worker: held.worker, run: 'primed-1', revision: 1 },
    });
  });

  it('is inconclusive, naming the worker, when one held nothing for long enough', () => {
    const missing = { verdict: 'inconclusive', evidence: { without: [held.worker] } };
    expect(
      check(
        PROPERTY,
        without(clean, ({ body }) => 'effect' in body && body.effect === held.effect),
      ),
    ).toMatchObject(missing);
    const short = {
      ...clean,
      runs: clean.runs.map((run) =>
        run.run === 'primed-1' ? { ...run, plan: run.plan.map((step) => ({ ...step, serviceMs: 2_000 })) } : run,
      ),
    };
    expect(check(PROPERTY, short)).toMatchObject(missing);
  });

  it('takes no dead worker’s closed socket for a cancellation, and expects nothing of it', () => {
    const who = { worker: held.worker, channel: held.channel };
    const killed = {
      atMs: AT.stop + 20,
      body: { type: 'worker.exited', ...who, code: null, signal: 'SIGKILL', expected: true },
    } as const;
    const draft = plus(
      without(clean, ({ body }) => body.type === 'worker.exited' && body.worker === held.worker),
      killed,
    );
    const others = ['worker-1', 'worker-2'].filter((worker) => worker !== held.worker);
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'pass', evidence: { held: 2, workers: others } });
  });

  it('gives a suspended worker its budget from when it goes on', () => {
    const pause = fault({ fault: 1, kind: 'pause', target: held.worker, plane: null }, AT.stop - 50, AT.stop + 1_000);
    expect(check(PROPERTY, plus(closing({ atMs: AT.stop + 1_100 }), ...pause)).verdict).toBe('pass');
    expect(check(PROPERTY, plus(closing({ atMs: AT.stop + 1_700 }), ...pause)).verdict).toBe('fail');
  });

  it('expects one worker only to hold a stopped run', () => {
    expect(check(PROPERTY, cleanDrill({ on: { scope: 'run', target: 'primed-run' } }))).toMatchObject({
      verdict: 'pass',
      evidence: { held: 2, workers: ['worker-1'] },
    });
  });

  it('does not apply to a drill without a stop', () => {
    expect(check(PROPERTY, withoutStops(clean)).verdict).toBe('not_applicable');
  });
});
