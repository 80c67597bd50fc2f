import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import { AT, cleanDrill } from '../checkers/clean-drill.ts';
import { changed, recordOf } from '../checkers/history-builder.ts';
import type { DraftDrill, Timed } from '../checkers/history-builder.ts';

const clean = cleanDrill();
const verdictOf = (draft: DraftDrill) => judge(recordOf(draft));

function tenantOf(id: string): string | null {
  return clean.runs.find(({ run }) => run === id)?.tenant ?? null;
}

/** The last ordinary call of acme before the stop, at another instant: its intent stays before the stop. */
function lateBy(ms: number): DraftDrill {
  const isOrdinary = ({ body, atMs }: Timed): boolean =>
    body.type === 'effect.arrived' && atMs < AT.stop && body.run.startsWith('run-') && tenantOf(body.run) === 'acme';
  const victim = clean.timed
    .filter(isOrdinary)
    .toSorted((one, other) => one.atMs - other.atMs)
    .at(-1);
  if (victim?.body.type !== 'effect.arrived') throw new Error('the clean drill has no call of acme before its stop');
  const { effect: id } = victim.body;
  return changed(clean, (timed) => {
    if (timed === victim) return { ...timed, atMs: AT.durable + ms };
    const isEnd = timed.body.type === 'effect.landed' && timed.body.effect === id;
    return isEnd ? { ...timed, atMs: AT.durable + ms + 1 } : timed;
  });
}

/** The drill by a witness that looks so seldom: an arrival may have been as much earlier. */
function laggingBy(ms: number): DraftDrill {
  return changed(clean, (timed) =>
    timed.body.type === 'effect.arrived' ? { ...timed, atMs: timed.atMs - ms, t1Ms: timed.atMs } : timed,
  );
}

describe('a clean drill that looks guilty', () => {
  it('passes with an effect that was let in before the flip and arrives 2 ms after it, and counts it', () => {
    const judgement = verdictOf(lateBy(2));
    expect(judgement).toMatchObject({ verdict: 'pass', worst: null });
    expect(judgement.flips[0]).toMatchObject({ effectsAfterFlip: 1, effectsAfterBudget: 0, intentsAfterStop: 0 });
  });

  it('fails with the same effect a budget later', () => {
    expect(verdictOf(lateBy(700))).toMatchObject({ verdict: 'fail', worst: { name: 'no_effect_after_stop' } });
  });

  it('passes by a witness that lags', () => {
    expect(verdictOf(laggingBy(60))).toMatchObject({ verdict: 'pass', worst: null });
  });

  it('passes with an effect that came right behind the release, by a witness that had not looked for a while', () => {
    const again = clean.timed.find(
      ({ body, atMs }) => body.type === 'effect.arrived' && atMs > AT.released && tenantOf(body.run) === 'acme',
    );
    const seen = { atMs: AT.release - 30, t1Ms: AT.released + 20 };
    const draft = changed(clean, (timed) => (timed === again ? { ...timed, ...seen } : timed));
    expect(verdictOf(draft)).toMatchObject({ verdict: 'pass', worst: null });
  });

  it('is inconclusive, and never fails, by a witness that lags too much', () => {
    const judgement = verdictOf(laggingBy(400));
    expect(judgement.verdict).toBe('inconclusive');
    expect([...judgement.properties, ...judgement.expectations].filter(({ verdict }) => verdict === 'fail')).toEqual(
      [],
    );
  });
});
