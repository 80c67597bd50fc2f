import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, effect, find, plus, withScenario, without } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const PROPERTY = 'stop_was_effective';
const SAID_MS = AT.stop + 400;
const calm = cleanDrill({ effectiveWithinMs: 5_000 });
const held = find(calm, 'effect.arrived', ({ run }) => run === 'primed-1').body;

/** What the observer says, and when it has it. */
function word(
  state: 'effective' | 'pending',
  t1Ms: number,
  { standing = 'confirmed', missing = [] as readonly string[] } = {},
): Timed {
  const workers = ['worker-1', 'worker-2'].map((worker) => ({ worker, incarnation: worker, state: standing }));
  return { atMs: t1Ms - 5, t1Ms, body: { type: 'stop.observed', flip: 1, state, workers, missing } };
}

const waits = word('pending', AT.durable + 10, {
  standing: 'unconfirmed',
  missing: ['worker-1: calls in scope are open'],
});
const clean = plus(calm, waits, word('effective', SAID_MS));

/** The held call ends otherwise, or not at all. */
function heldEnds(endMs: number | null): DraftDrill {
  const isEnd = ({ body }: Timed): boolean => body.type === 'effect.closed' && body.effect === held.effect;
  if (endMs === null) return without(clean, isEnd);
  return changed(clean, (timed) => (isEnd(timed) ? { atMs: endMs, body: timed.body } : timed));
}

describe(PROPERTY, () => {
  it('passes when the word comes after the last call in scope has ended', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass', evidence: { flip: 1, revision: 1 } });
    expect(check(PROPERTY, heldEnds(SAID_MS - 1)).verdict).toBe('pass');
  });

  it.each([
    ['open', heldEnds(null), /was still open/],
    ['open a moment longer', heldEnds(SAID_MS + 2), /was still open/],
  ])('fails when a call in scope was %s', (_, draft, reason) => {
    expect(check(PROPERTY, draft)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(reason),
      evidence: { effect: held.effect, worker: held.worker },
    });
  });

  it('fails when one came after the word', () => {
    const { run, capability, key } = held;
    const late = effect({ atMs: SAID_MS + 50, worker: 1, run, capability, key: `${key} again` });
    expect(check(PROPERTY, plus(clean, ...late))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/arrived after that/),
    });
  });

  it('excepts reads that no journal shows, of workers that did not confirm', () => {
    const free = (draft: DraftDrill): DraftDrill => ({
      ...draft,
      runs: draft.runs.map((run) =>
        run.run === held.run
          ? { ...run, plan: run.plan.map((step) => ({ ...step, access: 'read', journal: false })) }
          : run,
      ),
    });
    const fenced = plus(calm, word('effective', SAID_MS, { standing: 'fenced' }));
    const isEnd = ({ body }: Timed): boolean => body.type === 'effect.closed' && body.effect === held.effect;
    expect(check(PROPERTY, free(without(fenced, isEnd))).verdict).toBe('pass');
    expect(check(PROPERTY, without(fenced, isEnd)).verdict).toBe('fail');
    expect(check(PROPERTY, free(heldEnds(null))).verdict).toBe('fail');
  });

  it('fails when the word never came, and says what was missing', () => {
    expect(check(PROPERTY, plus(calm, waits))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/not called effective within 5000 ms: worker-1: calls in scope are open/),
    });
  });

  it('is inconclusive when the observer said nothing', () => {
    expect(check(PROPERTY, calm).verdict).toBe('inconclusive');
  });

  it('is inconclusive when nothing in scope was open at the stop', () => {
    const nothing = without(clean, ({ body }) => 'run' in body && body.run.startsWith('primed-'));
    const before = without(nothing, ({ atMs, body }) => body.type === 'effect.arrived' && atMs < AT.stop);
    expect(check(PROPERTY, before).verdict).toBe('inconclusive');
  });

  it('is not applicable where nobody waits', () => {
    const hurried = withScenario(clean, (scenario) => ({
      ...scenario,
      timeline: scenario.timeline.map((entry) =>
        entry.kind === 'flip' ? { ...entry, effectiveWithinMs: null } : entry,
      ),
    }));
    expect(check(PROPERTY, hurried).verdict).toBe('not_applicable');
  });
});
