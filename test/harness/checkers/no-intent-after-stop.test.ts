import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, find, without, withoutStops } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const PROPERTY = 'no_intent_after_stop';
const clean = cleanDrill();

/** Puts the first intent that fits after a revision. */
function placed(draft: DraftDrill, tenant: string, afterRevision: number): DraftDrill {
  const victim = find(draft, 'store.intent', (body) => body.tenant === tenant && body.afterRevision === 0);
  return changed(draft, (timed) => (timed === victim ? { ...timed, body: { ...victim.body, afterRevision } } : timed));
}

describe(PROPERTY, () => {
  it('passes a clean drill', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass', evidence: { intentsAfterStop: 0 } });
  });

  it('fails on one intent in scope after the stop, and names it', () => {
    expect(check(PROPERTY, placed(clean, 'acme', 1))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('after revision 1, under the stop of tenant:acme'),
      evidence: { tenant: 'acme', afterRevision: 1, revision: 1, incarnation: 'life-1' },
    });
  });

  it('lets intents out of scope, and intents after the release, be', () => {
    expect(check(PROPERTY, placed(clean, 'beta', 1)).verdict).toBe('pass');
    expect(check(PROPERTY, placed(clean, 'acme', 2)).verdict).toBe('pass');
  });

  it('takes the trace’s word for who a run is, not the row’s', () => {
    const lying = changed(placed(clean, 'acme', 1), (timed) =>
      timed.body.type === 'store.intent' ? { ...timed, body: { ...timed.body, tenant: 'beta' } } : timed,
    );
    expect(check(PROPERTY, lying).verdict).toBe('fail');
  });

  it.each([
    ['the journal read at the end', ({ body }: Timed) => body.type === 'store.head'],
    [
      'intents in scope before the stop',
      ({ body }: Timed) => body.type === 'store.intent' && body.tenant === 'acme' && body.afterRevision === 0,
    ],
    ['work in scope due after the stop', ({ body, atMs }: Timed) => body.type === 'run.due' && atMs > AT.stop],
    ['the stop on record in the store', ({ body }: Timed) => body.type === 'store.flip'],
  ])('is inconclusive without %s', (obligation, unwanted) => {
    expect(check(PROPERTY, without(clean, unwanted))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation },
    });
  });

  it('asks of a stopped run that it had something left to do', () => {
    const stopped = cleanDrill({ on: { scope: 'run', target: 'primed-run' } });
    expect(check(PROPERTY, stopped).verdict).toBe('pass');
    const short = {
      ...stopped,
      runs: stopped.runs.map((run) => (run.primed === true ? { ...run, plan: [] } : run)),
    };
    expect(check(PROPERTY, short)).toMatchObject({ verdict: 'inconclusive' });
  });

  it('is an error when a stored flip cannot be read', () => {
    const torn = changed(clean, (timed) =>
      timed.body.type === 'store.flip' ? { ...timed, body: { ...timed.body, text: '{' } } : timed,
    );
    expect(check(PROPERTY, torn)).toMatchObject({ verdict: 'error', reason: expect.stringContaining('not JSON') });
  });

  it('does not apply to a drill without a stop', () => {
    const calm = without(withoutStops(clean), ({ body }) => body.type === 'store.flip');
    expect(check(PROPERTY, calm).verdict).toBe('not_applicable');
  });
});
