import { describe, expect, it } from 'vitest';
import type { HaltedError } from '../../src/halted-error.ts';
import { InFlight, watchLease } from '../../src/in-flight.ts';
import { RunContext } from '../../src/run-context.ts';
import type { ActiveStop, Decider } from '../../src/decider.ts';
import { engagementOf } from '../../src/flip-text.ts';
import { switchMatches } from '../../src/switch.ts';
import { stopFlip } from './chain-store.ts';
import { Fate } from './fate.ts';
import { GateRig, HeldCall, LOOKUP } from './gate-rig.ts';
import { ManualClock, settled } from './manual-clock.ts';

class OneStop implements Decider {
  readonly version = 1;
  stop: ActiveStop | null = null;
  trusted = true;

  stopFor(subject: Parameters<Decider['stopFor']>[0]): ActiveStop | null {
    return this.stop !== null && switchMatches(this.stop.engagement, subject) ? this.stop : null;
  }

  verified(): boolean {
    return this.trusted;
  }
}

function rig(): {
  readonly decider: OneStop;
  readonly inFlight: InFlight;
  readonly aborted: HaltedError[];
  readonly add: (
    run: string,
    abort?: (reason: HaltedError) => void,
  ) => { readonly context: RunContext; readonly end: () => void };
} {
  const decider = new OneStop();
  const inFlight = new InFlight(decider);
  const aborted: HaltedError[] = [];
  return {
    decider,
    inFlight,
    aborted,
    add: (run, abort = (reason) => aborted.push(reason)) => {
      const context = new RunContext({ run, agent: 'a1', tenant: run === 'other' ? 'other' : 'acme' }, null);
      return { context, end: inFlight.add({ subject: context.subject, context, abort }) };
    },
  };
}

const ACME = { engagement: engagementOf(stopFlip('e1', { scope: 'tenant', target: 'acme' })), revision: 1 };

describe('calls in flight', () => {
  it('are aborted where a stop covers them, each once, all calls of a run for one reason', () => {
    const { decider, inFlight, aborted, add } = rig();
    const inside = add('r1');
    inFlight.add({ subject: inside.context.subject, context: inside.context, abort: (reason) => aborted.push(reason) });
    const outside = add('other');
    decider.stop = ACME;
    inFlight.abortStopped();
    inFlight.abortStopped();
    inFlight.abortUnverified();
    expect(aborted.filter(({ kind }) => kind === 'operator')).toEqual([inside.context.latch, inside.context.latch]);
    expect(aborted.filter(({ kind }) => kind === 'unverified')).toHaveLength(1);
    expect(outside.context.latch).toBeNull();
  });

  it('stay in flight after their abort until they have ended, and may end twice', () => {
    const { decider, inFlight, add } = rig();
    const one = add('r1');
    decider.stop = ACME;
    inFlight.abortStopped();
    expect(inFlight.count).toBe(1);
    one.end();
    one.end();
    expect(inFlight.count).toBe(0);
  });

  it('are all aborted though the abort of one throws, or ends others', () => {
    const { decider, inFlight, aborted, add } = rig();
    const later: (() => void)[] = [];
    add('r1', () => {
      throw new Error('cannot be aborted');
    });
    add('r2', () => later.forEach((end) => end()));
    add('r3');
    later.push(add('r4').end);
    decider.stop = ACME;
    inFlight.abortStopped();
    expect(aborted).toHaveLength(1);
    expect(inFlight.count).toBe(3);
  });

  it('are reached 4,096 at a time', async () => {
    const gated = new GateRig();
    const calls = Array.from({ length: 4_096 }, () => new HeldCall());
    const fates = calls.map(
      ({ call }, at) =>
        new Fate(gated.gate.enter({ run: `r${at % 64}`, agent: 'a' }, () => gated.gate.run(LOOKUP, call))),
    );
    expect(gated.inFlight.count).toBe(4_096);
    gated.stop();
    expect(calls.every(({ signal }) => signal?.aborted === true)).toBe(true);
    await settled();
    expect(fates.every(({ now }) => now.startsWith('rejected'))).toBe(true);
    for (const { reject } of calls) reject(new Error('aborted'));
    await settled();
    expect([gated.inFlight.count, gated.clock.timerCount]).toEqual([0, 0]);
  });
});

describe('the watch over the lease', () => {
  const GRACE = { graceMs: 300, everyMs: 20 };

  it('aborts what is in flight once unverified for the grace, and latches no run', () => {
    const { decider, inFlight, aborted, add } = rig();
    const clock = new ManualClock();
    const stop = watchLease({ clock, decider, inFlight }, GRACE);
    const { context } = add('r1');
    decider.trusted = false;
    clock.advance(300);
    expect(aborted).toHaveLength(0);
    clock.advance(40);
    expect(aborted).toEqual([context.unverified]);
    expect(context.latch).toBeNull();
    stop();
    expect(clock.timerCount).toBe(0);
  });

  it('lets a short lapse go by', () => {
    const { decider, inFlight, aborted, add } = rig();
    const clock = new ManualClock();
    watchLease({ clock, decider, inFlight }, GRACE);
    add('r1');
    for (let lapse = 0; lapse < 5; lapse += 1) {
      decider.trusted = false;
      clock.advance(280);
      decider.trusted = true;
      clock.advance(20);
    }
    expect(aborted).toHaveLength(0);
  });
});
