import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../src/flip-text.ts';
import { check } from './checking.ts';
import { AT, cleanDrill, releaseFlip, resumed, stopFlip, storeRows } from './clean-drill.ts';
import { changed, effect, plus, without } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';
import { otherwise } from './queue-edits.ts';

const PROPERTY = 'resume_respects_halt';
const on = { scope: 'tenant', target: 'acme' } as const;
const back = cleanDrill({ isResumed: true });
const discarded = cleanDrill();

/** A resume of this staging that nine tasks obey. */
function staged(staging: Readonly<Record<string, unknown>>): DraftDrill {
  const unasked = without(back, ({ body }) => body.type.startsWith('operator.'));
  return plus(unasked, ...resumed(staging));
}

/** The clean drill under a second stop of everything, from just before the resume until the end. */
function underAnother(draft: DraftDrill): DraftDrill {
  const everything = { scope: 'global', target: '*' } as const;
  const again = { ...stopFlip(everything), id: 'stop-2' };
  const rows = storeRows([stopFlip(on), releaseFlip(on), again].map(canonicalText));
  const facts = { ...everything, flip: 3, kind: 'stop', mode: 'halt_all', queue: 'discard', id: 'stop-2' } as const;
  const asked = { ...facts, engagements: [], expected: 'taken' } as const;
  const late = changed(
    without(draft, ({ body }) => body.type === 'store.flip' || body.type === 'store.head'),
    (timed) => afterThird(timed),
  );
  return plus(
    late,
    ...rows,
    { atMs: AT.resume - 100, body: { type: 'flip.requested', ...asked } },
    { atMs: AT.resume - 99, body: { type: 'flip.answered', ...asked, ok: true, error: null, revision: 3 } },
  );
}

function afterThird(timed: Timed): Timed {
  const { body, atMs } = timed;
  if (body.type !== 'store.taskChange' || atMs < AT.resume - 100) return timed;
  const admittedRevision = body.admittedRevision === 2 ? 3 : body.admittedRevision;
  return { ...timed, body: { ...body, admittedRevision, afterRevision: 3 } };
}

describe(PROPERTY, () => {
  it('passes when an operator resumed what was discarded, after the release', () => {
    expect(check(PROPERTY, back)).toMatchObject({ verdict: 'pass', evidence: { resumed: 9, cameBackHeld: 0 } });
  });

  it('passes what comes back held, since another stop covers it', () => {
    const held = otherwise(back, 'later-1', AT.resume, {
      from: 'discarded',
      to: 'parked',
      atMs: AT.resume + 5,
      stamp: 3,
      afterRevision: 3,
    });
    const alone = without(
      held,
      ({ body, atMs }) =>
        atMs >= AT.resume &&
        (body.type === 'effect.arrived' || (body.type === 'store.taskChange' && body.task !== 'later-1')),
    );
    expect(check(PROPERTY, underAnother(alone))).toMatchObject({ verdict: 'pass', evidence: { cameBackHeld: 1 } });
  });

  it.each<[string, DraftDrill, RegExp, Record<string, unknown>]>([
    [
      'what is resumed is queued under another stop',
      underAnother(back),
      /was resumed under the stop of global, and was queued instead of held/,
      { revision: 3, scope: 'global', to: 'queued' },
    ],
    [
      'what came back held is claimed under that stop',
      underAnother(
        otherwise(
          discarded,
          'later-1',
          AT.resume,
          { from: 'discarded', to: 'parked', atMs: AT.resume + 5, stamp: 2 },
          { from: 'parked', to: 'running', atMs: AT.resume + 50, stamp: 2 },
          { from: 'running', to: 'parked', atMs: AT.resume + 90, stamp: 2 },
        ),
      ),
      /later-1 was resumed and claimed under the stop of global/,
      { task: 'later-1', to: 'running' },
    ],
    [
      'a discarded run goes on after the release although nobody resumed it',
      plus(
        discarded,
        ...effect({ atMs: 12_000, worker: 2, run: 'later-1', capability: 'model/chat', key: 'later-1/0' }),
      ),
      /arrived although run later-1 had been discarded and nobody resumed it/,
      { task: 'later-1', run: 'later-1' },
    ],
    [
      'tasks come back faster than their rate',
      staged({ kind: 'rate', tasksPerSecond: 2 }),
      /was claimed \d+ ms after the resume as number \d by task; staged it is due after \d+ ms/,
      { staging: { kind: 'rate', tasksPerSecond: 2 } },
    ],
    [
      'one tenant does not wait for the other',
      ofTwoTenants(staged({ kind: 'tenants', everyMs: 3_000 })),
      /as number 2 by tenant/,
      { turn: 2 },
    ],
  ])('fails when %s', (_, draft, reason, evidence) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason), evidence });
  });

  it('allows a rate that the claims keep', () => {
    expect(check(PROPERTY, staged({ kind: 'rate', tasksPerSecond: 50 })).verdict).toBe('pass');
    expect(check(PROPERTY, staged({ kind: 'tenants', everyMs: 3_000 })).verdict).toBe('pass');
  });

  it('is inconclusive when no resume was taken, or nothing came back', () => {
    const refused = changed(back, (timed) =>
      timed.body.type === 'operator.answered'
        ? { ...timed, body: { ...timed.body, ok: false, error: 'run r was never stopped' } }
        : timed,
    );
    const unresumed = (draft: DraftDrill): DraftDrill => ({
      ...draft,
      timed: discarded.timed.concat(draft.timed.filter(({ body }) => body.type.startsWith('operator.'))),
    });
    expect(check(PROPERTY, unresumed(refused))).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('never stopped'),
      evidence: { obligation: 'a resume that was taken' },
    });
    expect(check(PROPERTY, unresumed(back))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a discarded task that was resumed' },
    });
    const unwitnessed = without(back, ({ body }) => body.type === 'store.taskChange');
    expect(check(PROPERTY, unwitnessed)).toMatchObject({ evidence: { obligation: 'changes of the queue witnessed' } });
  });

  it('does not apply when nothing is resumed', () => {
    expect(check(PROPERTY, discarded).verdict).toBe('not_applicable');
    expect(check(PROPERTY, cleanDrill({ queue: 'park' })).verdict).toBe('not_applicable');
  });
});

/** One of the resumed runs is another tenant's. */
function ofTwoTenants(draft: DraftDrill): DraftDrill {
  return { ...draft, runs: draft.runs.map((run) => (run.run === 'later-1' ? { ...run, tenant: 'beta' } : run)) };
}
