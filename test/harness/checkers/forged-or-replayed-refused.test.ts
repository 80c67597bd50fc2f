import { describe, expect, it } from 'vitest';
import { FORGERIES, FORGERY_PATHS } from '../../../harness/history/forgery.ts';
import type { ForgeryFacts } from '../../../harness/history/forgery.ts';
import { check } from './checking.ts';
import { AT, STOP_ID, cleanDrill } from './clean-drill.ts';
import { changed, effect, plus, without } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const PROPERTY = 'forged_or_replayed_refused';
const FORGED_AT = AT.durable + 2_500;

/** The clean drill, with somebody who tries every manner by every path while the stop holds, and is seen by every worker. */
function forgedDrill(): DraftDrill {
  const tried = FORGERIES.flatMap((manner) => FORGERY_PATHS.map((path) => ({ manner, path })));
  const timed = tried.flatMap(({ manner, path }, nth): readonly Timed[] => {
    const atMs = FORGED_AT + 2 * nth;
    const id = `forged-${nth + 1}`;
    const on = { scope: 'tenant', target: 'acme' } as const;
    const facts: ForgeryFacts = { forgery: nth + 1, manner, path, ...on, engagements: [STOP_ID], id };
    const [ok, code] =
      path === 'notify' ? [true, null] : [false, path === 'relay' ? 'RELAY_REFUSED' : 'STORE_FORBIDDEN'];
    const seen = [1, 2].map((worker): Timed => {
      const said = { event: 'refused', what: 'release', id };
      return { atMs: atMs + 1, body: { type: 'worker.said', worker: `worker-${worker}`, channel: worker, said } };
    });
    return [
      { atMs, body: { type: 'forgery.sent', ...facts } },
      { atMs: atMs + 1, body: { type: 'forgery.answered', ...facts, ok, code } },
      ...(path === 'notify' && manner !== 'replayed' ? seen : []),
    ];
  });
  return plus(cleanDrill(), ...timed);
}

const forged = forgedDrill();

function answering(path: string, ok: boolean): DraftDrill {
  return changed(forged, (timed) =>
    timed.body.type === 'forgery.answered' && timed.body.path === path
      ? { ...timed, body: { ...timed.body, ok, code: ok ? null : 'X' } }
      : timed,
  );
}

describe(PROPERTY, () => {
  it('passes when nothing that was forged lifted anything', () => {
    expect(check(PROPERTY, forged)).toMatchObject({ verdict: 'pass', evidence: { forgeries: 15, manners: FORGERIES } });
  });

  it('does not apply where nobody forges', () => {
    expect(check(PROPERTY, cleanDrill()).verdict).toBe('not_applicable');
  });

  it('fails when an effect arrives in scope after a forgery, and names the first one', () => {
    const after = effect({ run: 'run-0', worker: 1, atMs: FORGED_AT + 500, capability: 'model/chat', key: 'run-0/9' });
    expect(check(PROPERTY, plus(forged, ...after))).toMatchObject({
      verdict: 'fail',
      evidence: { manner: 'unsigned', path: 'notify' },
    });
  });

  it.each(['relay', 'flip'])('fails when the store takes a forgery by %s', (path) => {
    expect(check(PROPERTY, answering(path, true))).toMatchObject({ verdict: 'fail', evidence: { path } });
  });

  it('is inconclusive while a worker has not said that it saw the forgery', () => {
    const unseen = without(forged, ({ body }) => body.type === 'worker.said' && body.worker === 'worker-2');
    expect(check(PROPERTY, unseen)).toMatchObject({ verdict: 'inconclusive', evidence: { worker: 'worker-2' } });
  });

  it('is inconclusive when a forgery was not sent, or not answered', () => {
    expect(check(PROPERTY, answering('notify', false)).verdict).toBe('inconclusive');
    const unanswered = without(forged, ({ body }) => body.type === 'forgery.answered' && body.forgery === 3);
    expect(check(PROPERTY, unanswered)).toMatchObject({ verdict: 'inconclusive', evidence: { forgery: 3 } });
  });

  it('is inconclusive when hardly anybody would have gone on', () => {
    const quiet = without(forged, ({ body, atMs }) => body.type === 'run.due' && atMs > FORGED_AT);
    expect(check(PROPERTY, quiet)).toMatchObject({ verdict: 'inconclusive', evidence: { temptedRuns: 0 } });
  });
});

describe('authority_enforced', () => {
  it('passes when the store refuses the fleet’s own login for want of a right', () => {
    expect(check('authority_enforced', forged)).toMatchObject({ verdict: 'pass', evidence: { refused: 5 } });
  });

  it('does not apply where nobody asks, and every release is the operator’s', () => {
    expect(check('authority_enforced', cleanDrill()).verdict).toBe('not_applicable');
  });

  it('fails when the store takes a release of the fleet’s own login', () => {
    expect(check('authority_enforced', answering('flip', true)).verdict).toBe('fail');
  });

  it('fails for a release on record that the operator did not ask for', () => {
    const own = without(
      cleanDrill(),
      ({ body }) => (body.type === 'flip.requested' || body.type === 'flip.answered') && body.kind === 'release',
    );
    expect(check('authority_enforced', own)).toMatchObject({ verdict: 'fail', evidence: { revision: 2 } });
  });

  it('is inconclusive when the refusal was for another reason', () => {
    expect(check('authority_enforced', answering('flip', false)).verdict).toBe('inconclusive');
  });
});
