import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill, intent } from './clean-drill.ts';
import { changed, effect, fault, find, plus, withScenario, without } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const PROPERTY = 'journal_matches_witness';
const clean = cleanDrill();
const journaled = find(clean, 'effect.arrived', ({ run, step }) => run === 'run-31' && step === 0).body;
const row = find(clean, 'store.intent', (body) => body.run === journaled.run && body.key === journaled.key);
const landing = find(clean, 'effect.landed', (body) => body.effect === journaled.effect);
const free = find(clean, 'effect.arrived', ({ run, step }) => run === 'run-31' && step === 1).body;

function saying(outcome: typeof row.body.outcome, draft: DraftDrill = clean): DraftDrill {
  return changed(draft, (timed) => (timed === row ? { ...row, body: { ...row.body, outcome } } : timed));
}

function exit(draft: DraftDrill, code: number | null, signal: string | null): DraftDrill {
  return changed(draft, (timed) =>
    timed.body.type === 'worker.exited' && timed.body.channel === journaled.channel
      ? { ...timed, body: { ...timed.body, code, signal } }
      : timed,
  );
}

function bye(counts: { readonly effects: number; readonly intents: number }): DraftDrill {
  return changed(clean, (timed) => {
    const mine = timed.body.type === 'worker.said' && timed.body.channel === journaled.channel;
    return mine && timed.body.type === 'worker.said'
      ? { ...timed, body: { ...timed.body, said: { event: 'bye', ...counts } } }
      : timed;
  });
}

const said = find(clean, 'worker.said', ({ channel }) => channel === journaled.channel).body.said as {
  readonly effects: number;
  readonly intents: number;
};

describe(PROPERTY, () => {
  it('passes a clean drill, whose journal-free reads have no rows', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass' });
    expect(free.capability).toBe('read/crm');
  });

  it('passes a call that was aborted, is unknown to its worker, and landed after all', () => {
    const closed = find(clean, 'effect.closed').body.effect;
    expect(
      check(PROPERTY, plus(clean, { atMs: AT.stop + 3_000, body: { type: 'effect.landed', effect: closed } })).verdict,
    ).toBe('pass');
  });

  it.each([
    ['an arrival without an intent', without(clean, (timed) => timed === row), /arrived without an intent/],
    ['an arrival of what was blocked', saying('blocked'), /says it was blocked/],
    ['a landing that the row calls failed', saying('failed'), /landed, and its intent says failed/],
    [
      'a row that says landed without a landing',
      without(clean, (timed) => timed === landing),
      /says landed, and the world saw no landing/,
    ],
    [
      'a row that says failed without a failure',
      without(saying('failed'), (timed) => timed === landing),
      /the downstream never said so/,
    ],
    ['a row without an outcome of a worker that ended well', saying(null), /has no outcome/],
    [
      'an orphan row',
      changed(clean, (timed) => (timed === row ? { ...row, body: { ...row.body, incarnation: 'nobody' } } : timed)),
      /which no worker announced/,
    ],
    [
      'a row under another tenant',
      changed(clean, (timed) => (timed === row ? { ...row, body: { ...row.body, tenant: 'gamma' } } : timed)),
      /says tenant 'gamma'/,
    ],
    ['fewer claimed effects than arrived', bye({ ...said, effects: said.effects - 1 }), /claims \d+ effects/],
    ['more claimed intents than rows', bye({ ...said, intents: said.intents + 1 }), /claims \d+ intents/],
    ['fewer claimed intents than rows', bye({ ...said, intents: said.intents - 1 }), /claims \d+ intents/],
  ])('fails on %s', (_, draft, reason) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason) });
  });

  it('compares as multisets: a key that arrived twice needs two intents', () => {
    const again = effect({
      atMs: 2_000,
      worker: journaled.channel,
      run: journaled.run,
      capability: journaled.capability,
      key: journaled.key,
    });
    expect(check(PROPERTY, plus(clean, ...again))).toMatchObject({ verdict: 'fail', evidence: { run: journaled.run } });
  });

  const CUT_OFF = { fault: 1, target: journaled.worker, plane: 'work' } as const;

  it('lets a worker that died leave rows without an outcome, and a cut one', () => {
    expect(check(PROPERTY, exit(saying(null), null, 'SIGKILL')).verdict).toBe('pass');
    const cut = fault({ ...CUT_OFF, kind: 'cut' }, AT.drain, null);
    expect(check(PROPERTY, plus(saying(null), ...cut)).verdict).toBe('pass');
    const slow = fault({ ...CUT_OFF, kind: 'latency' }, AT.drain, null);
    expect(check(PROPERTY, plus(saying(null), ...slow)).verdict).toBe('fail');
  });

  it('lets a batch that was given up leave a blocked row that its worker does not count', () => {
    const run = clean.runs.find((one) => one.run === 'run-400');
    if (run === undefined) throw new Error('the clean drill has run-400');
    const given = intent({ worker: journaled.channel, run, step: 2, atMs: 12_000, outcome: 'blocked' });
    expect(check(PROPERTY, plus(clean, given)).verdict).toBe('pass');
  });

  it('is an error when the witness may have lost its tail', () => {
    expect(check(PROPERTY, bye({ ...said, effects: said.effects + 300 }))).toMatchObject({
      verdict: 'error',
      reason: expect.stringContaining('tail'),
    });
    expect(
      check(
        PROPERTY,
        without(clean, ({ body }) => body.type === 'worker.said'),
      ),
    ).toMatchObject({ verdict: 'error' });
    expect(check(PROPERTY, { ...clean, complete: false }).verdict).toBe('inconclusive');
  });

  it('is an error when a worker has to be forced to end, but not when a fault killed it', () => {
    const isItsBye = ({ body }: Timed): boolean => body.type === 'worker.said' && body.channel === journaled.channel;
    const forced = exit(without(clean, isItsBye), null, 'SIGKILL');
    expect(check(PROPERTY, forced)).toMatchObject({
      verdict: 'error',
      reason: `worker-${journaled.channel} was asked to end and did so by SIGKILL without its last word`,
    });
    const killed = changed(forced, (timed) =>
      timed.body.type === 'worker.exited' && timed.body.channel === journaled.channel
        ? { ...timed, atMs: AT.drain - 10 }
        : timed,
    );
    expect(check(PROPERTY, killed).verdict).toBe('pass');
  });

  it('is inconclusive without a journal, or about a fleet that does not name its incarnations', () => {
    expect(
      check(
        PROPERTY,
        without(clean, ({ body }) => body.type.startsWith('store.')),
      ),
    ).toMatchObject({ evidence: { obligation: 'the journal read at the end' } });
    const nameless = changed(clean, (timed) =>
      timed.body.type === 'worker.ready' ? { ...timed, body: { ...timed.body, incarnation: null } } : timed,
    );
    expect(check(PROPERTY, nameless)).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('not instrumented'),
    });
  });

  it('asks no last word of somebody else’s fleet', () => {
    const theirs = withScenario(clean, (scenario) => ({
      ...scenario,
      fleet: { ...scenario.fleet, command: ['their-fleet'] },
    }));
    expect(
      check(
        PROPERTY,
        without(theirs, ({ body }) => body.type === 'worker.said'),
      ).verdict,
    ).toBe('pass');
  });
});
