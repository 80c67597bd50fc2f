import { describe, expect, it } from 'vitest';
import { groupOf } from '../../src/call-group.ts';
import type { CallGroup } from '../../src/call-group.ts';
import { KilldrillError } from '../../src/errors.ts';
import { RunContext } from '../../src/run-context.ts';
import { ManualClock } from './manual-clock.ts';

const CHAT = { capability: 'model/chat', deadlineMs: 50 };

const runOf = (run = 'run-1'): RunContext => new RunContext({ run, agent: 'agent-1' }, null);

/** Begins a call, as the gate does, and notes when its deadline is said to have passed. */
function begin(context: RunContext, clock: ManualClock, effect = CHAT): Begun {
  const group = groupOf(context, effect, clock);
  const late: number[] = [];
  return { group, late, ended: group.join(() => late.push(clock.monotonicMs())) };
}

interface Begun {
  readonly group: CallGroup;
  readonly late: readonly number[];
  readonly ended: () => void;
}

describe('calls that begin together', () => {
  it('share a signal when they are of one run, one capability and one deadline', () => {
    const [clock, context] = [new ManualClock(), runOf()];
    const first = begin(context, clock);
    clock.advance(1);
    expect(begin(context, clock).group).toBe(first.group);
    expect(begin(context, clock, { ...CHAT, capability: 'tool/search' }).group.signal).not.toBe(first.group.signal);
  });

  it.each([
    ['run', runOf('run-2'), CHAT, 0],
    ['capability', null, { ...CHAT, capability: 'tool/search' }, 0],
    ['deadline', null, { ...CHAT, deadlineMs: 51 }, 0],
    ['moment', null, CHAT, 1.01],
  ] as const)('have signals of their own when they differ in their %s', (_what, other, effect, laterMs) => {
    const [clock, context] = [new ManualClock(), runOf()];
    const first = begin(context, clock);
    clock.block(laterMs);
    const second = begin(other ?? context, clock, effect);
    second.group.abort(new Error('stop'));
    expect(second.group.signal.aborted).toBe(true);
    expect(first.group.signal.aborted).toBe(false);
  });

  it('are not joined by one that begins after they were aborted, or after all of them ended', () => {
    const [clock, context] = [new ManualClock(), runOf()];
    const aborted = begin(context, clock);
    aborted.group.abort(new Error('stop'));
    const ended = begin(context, clock);
    expect(ended.group.signal.aborted).toBe(false);
    ended.ended();
    expect(begin(context, clock).group).not.toBe(ended.group);
  });

  it('are late together, each told once, those that ended not at all', () => {
    const [clock, context] = [new ManualClock(), runOf()];
    const calls = [begin(context, clock), begin(context, clock), begin(context, clock)] as const;
    calls[1].ended();
    clock.advance(49);
    expect(calls[0].group.signal.aborted).toBe(false);
    clock.advance(1);
    expect(calls[0].group.signal.reason).toBeInstanceOf(KilldrillError);
    expect(calls.map(({ late }) => late.length)).toEqual([1, 0, 1]);
    clock.advance(100);
    expect(calls.map(({ late }) => late.length)).toEqual([1, 0, 1]);
  });

  it('leave no timer once all of them have ended', () => {
    const [clock, context] = [new ManualClock(), runOf()];
    const calls = [begin(context, clock), begin(context, clock)];
    expect(clock.timerCount).toBe(1);
    calls[0]?.ended();
    expect(clock.timerCount).toBe(1);
    calls[1]?.ended();
    calls[1]?.ended();
    expect(clock.timerCount).toBe(0);
  });
});
