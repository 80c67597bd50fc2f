import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../src/flip-text.ts';
import type { Flip } from '../../../src/switch.ts';
import { check } from './checking.ts';
import { DRAIN_MS, cleanDrill, releaseFlip, stopFlip, storeRows } from './clean-drill.ts';
import { changed, plus, without, withoutStops } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const PROPERTY = 'flips_on_record';
const ACME = { scope: 'tenant', target: 'acme' } as const;
const clean = cleanDrill();

/** The clean drill with another, well-chained store. */
function stored(...flips: readonly Flip[]): DraftDrill {
  return plus(
    without(clean, ({ body }) => body.type === 'store.flip' || body.type === 'store.head'),
    ...storeRows(flips.map(canonicalText)),
  );
}

function withHead(head: { readonly revision?: number; readonly hash?: string }): DraftDrill {
  return changed(clean, (timed) =>
    timed.body.type === 'store.head' ? { ...timed, body: { ...timed.body, ...head } } : timed,
  );
}

describe(PROPERTY, () => {
  it('fails when a stop drains for another time than was asked for', () => {
    const asked = { queue: 'drain', drainMs: DRAIN_MS } as const;
    const draining = (drainMs: number): DraftDrill =>
      plus(
        without(cleanDrill(asked), ({ body }) => body.type === 'store.flip' || body.type === 'store.head'),
        ...storeRows([stopFlip(ACME, { ...asked, drainMs }), releaseFlip(ACME)].map(canonicalText)),
      );
    expect(check(PROPERTY, draining(DRAIN_MS)).verdict).toBe('pass');
    expect(check(PROPERTY, draining(3 * DRAIN_MS))).toMatchObject({
      verdict: 'fail',
      reason: 'the stop of tenant:acme was to drain for 2000 ms, and by the store it drains for 6000 ms',
    });
  });

  it('passes a clean drill', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass', evidence: { flips: 2 } });
  });

  it.each([
    [
      'an acknowledged flip is not in the store',
      stored(stopFlip(ACME)),
      /release of tenant:acme acknowledged as revision 2 is not in the store/,
    ],
    [
      'it is of another target',
      stored(stopFlip({ scope: 'tenant', target: 'beta' }), releaseFlip(ACME)),
      /is a stop of tenant:beta/,
    ],
    [
      'it is in another mode',
      stored({ ...stopFlip(ACME), mode: 'emergency' } as Flip, releaseFlip(ACME)),
      /in mode emergency/,
    ],
    [
      'a flip was requested by nobody',
      stored(stopFlip(ACME), releaseFlip(ACME), { ...stopFlip(ACME), id: 'ghost' }),
      /that nobody requested/,
    ],
    ['a release closes what is not open', stored(releaseFlip(ACME), stopFlip(ACME)), /which is not open/],
    [
      'a text was changed afterwards',
      changed(clean, (timed) =>
        timed.body.type === 'store.flip' && timed.body.revision === 1
          ? { ...timed, body: { ...timed.body, text: timed.body.text.replace('acme', 'beta') } }
          : timed,
      ),
      /hash of revision 1/,
    ],
    [
      'a revision is missing',
      without(clean, ({ body }) => body.type === 'store.flip' && body.revision === 1),
      /revision 1 is missing/,
    ],
    ['the head is further than the flips', withHead({ revision: 3 }), /head is revision 3/],
    ['the head has another hash', withHead({ hash: 'f'.repeat(64) }), /hash of the store's head/],
  ])('fails when %s', (_, draft, reason) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason) });
  });

  it('holds a stop that was taken for the time being to its word', () => {
    const provisional = (draft: DraftDrill): DraftDrill =>
      changed(draft, (timed) => {
        const { body } = timed;
        if (body.type !== 'flip.answered' || body.kind !== 'stop') return timed;
        return { ...timed, body: { ...body, revision: null, provisional: { why: 'away', reached: [], kept: true } } };
      });
    expect(check(PROPERTY, provisional(clean)).verdict).toBe('pass');
    const gone = without(stored(), ({ body }) => 'flip' in body && 'kind' in body && body.kind === 'release');
    expect(check(PROPERTY, provisional(gone))).toMatchObject({
      verdict: 'fail',
      reason: 'the stop of tenant:acme taken for the time being is not in the store',
    });
  });

  it('lets a flip that was never answered be in the store, or not', () => {
    const silent = without(clean, ({ body }) => body.type === 'flip.answered' && body.kind === 'release');
    expect(check(PROPERTY, silent).verdict).toBe('pass');
  });

  it('is inconclusive when the store was not read', () => {
    expect(
      check(
        PROPERTY,
        without(clean, ({ body }) => body.type === 'store.head'),
      ),
    ).toMatchObject({ verdict: 'inconclusive' });
  });

  it('does not apply to a drill without flips', () => {
    const calm = without(withoutStops(clean), ({ body }) => body.type === 'store.flip');
    expect(check(PROPERTY, calm).verdict).toBe('not_applicable');
  });
});
