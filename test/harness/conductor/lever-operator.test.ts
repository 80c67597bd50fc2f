import { describe, expect, it } from 'vitest';
import { LeverOperator } from '../../../harness/conductor/lever-operator.ts';
import { modeSaid } from '../../../harness/conductor/lever-status.ts';
import type { Pulled } from '../../../harness/fleet/pull-lever.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import type { EventBody } from '../../../harness/history/event.ts';
import type { FlipEntry, Lever, ReleaseEntry } from '../../../harness/scenario/scenario.ts';

const WHEN = { kind: 'previous', offsetMs: 0 } as const;
const STOP: FlipEntry = {
  ...{ kind: 'flip', when: WHEN, scope: 'tenant', target: 'acme', mode: 'halt_all', queue: 'discard', drainMs: null },
  ...{ via: 'postgres', runawayPerSecond: null, effectiveWithinMs: null, wait: true, reason: 'a test' },
};
const RELEASE: ReleaseEntry = {
  ...{ kind: 'release', when: WHEN, scope: 'tenant', target: 'acme', expect: 'taken', via: 'postgres', reason: 'over' },
};
const { signal } = new AbortController();

/** An operator whose levers answer by this; what was pulled, and what is on record. */
function operator(answer: (lever: string) => Pulled) {
  const events: EventBody[] = [];
  const pulled: string[] = [];
  let ids = 0;
  const lever = (name: string): Lever => ({
    ...{ kind: 'command', words: [name, '{scope}', '{target}', '{mode}', '{reason}', '{id}'] },
  });
  const clock = startDrillClock();
  const one = new LeverOperator({
    levers: { stop: lever('stop'), release: lever('release'), status: lever('status'), withinMs: 1_000 },
    ...{ namespace: 'ns', clock, newId: () => `id-${(ids += 1)}`, wallMs: () => 0, onFlip: () => undefined },
    history: {
      append: (body) => {
        events.push(body);
        return { v: 1, seq: events.length, clock: 'mono', t0: 0, t1: 0, ...body };
      },
    },
    pull: (wanted) => {
      const words = wanted.kind === 'command' ? wanted.words : [];
      pulled.push(words.join(' '));
      return Promise.resolve(answer(words[0] ?? ''));
    },
  });
  return { one, events, pulled };
}

describe('the operator of a fleet with a switch of its own', () => {
  it('pulls the levers with their words put in, and asks the switch after each flip and before a release', async () => {
    const { one, pulled, events } = operator((lever) => ({ ok: true, text: lever === 'status' ? 'halt_all' : '' }));
    const durable: number[] = [];
    expect(await one.stop(STOP, (revision) => durable.push(revision), signal)).toEqual({ id: 'id-1', isTaken: true });
    await one.release(RELEASE, signal);
    expect([durable, one.revision]).toEqual([[1], 2]);
    expect(pulled).toEqual([
      'stop tenant acme halt_all a test id-1',
      'status tenant acme halt_all a test id-1',
      'status tenant acme halt_all over id-1',
      'release tenant acme disengaged over id-1',
      'status tenant acme disengaged over id-1',
    ]);
    expect(events.filter(({ type }) => type === 'lever.status')).toMatchObject([
      { flip: 1, moment: 'after', expected: 'halt_all', said: 'halt_all' },
      { flip: 1, moment: 'before-release', expected: 'halt_all', said: 'halt_all' },
      { flip: 2, moment: 'after', expected: 'disengaged', said: 'halt_all' },
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'flip.requested', kind: 'release', engagements: ['id-1'] }),
    );
  });

  it('puts a lever that says no on record, with its words, and counts nothing as stopped', async () => {
    const { one, events } = operator(() => ({ ok: false, error: 'no such tenant' }));
    const durable = (): never => {
      throw new Error('nothing is durable');
    };
    expect(await one.stop(STOP, durable, signal)).toEqual({ id: 'id-1', isTaken: false });
    expect(one.revision).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'flip.answered', ok: false, revision: null, error: 'no such tenant' });
  });
});

describe('what a switch says of itself', () => {
  it.each([
    ['halt_all\n', 'halt_all'],
    ['  disengaged since yesterday', 'disengaged'],
    ['{"mode": "emergency", "since": 1}', 'emergency'],
    ['"halt_noncritical"', 'halt_noncritical'],
  ])('%j is a mode', (text, mode) => {
    expect(modeSaid(text)).toEqual({ said: mode, error: null });
  });

  it.each(['', 'stopped', '{"mode": 1}', '{"mode"', 'null', '[]'])('%j is none', (text) => {
    expect(modeSaid(text)).toEqual({
      said: null,
      error: expect.stringMatching(/expected one of disengaged/) as string,
    });
  });
});
