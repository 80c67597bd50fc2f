import { describe, expect, it } from 'vitest';
import { HaltedError } from '../../src/halted-error.ts';
import { InFlight, watchLease } from '../../src/in-flight.ts';
import type { Call } from '../../src/in-flight.ts';
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
  readonly aborted: Error[];
  readonly add: (
    run: string,
    abort?: (reason: Error) => void,
  ) => { readonly context: RunContext; readonly end: () => void };
} {
  const decider = new OneStop();
  const inFlight = new InFlight(decider);
  const aborted: Error[] = [];
  return {
    decider,
    inFlight,
    aborted,
    add: (run, abort = (reason) => aborted.push(reason)) => {
      const context = new RunContext({ run, agent: 'a1', tenant: run === 'other' ? 'other' : 'acme' }, null);
      const tracked = inFlight.add(callOf(context, abort));
      return { context, end: () => tracked.ended() };
    },
  };
}

function callOf(context: RunContext, abort: (reason: Error) => void): Call {
  return {
    subject: context.subject,
    context,
    idempotencyKey: 'key',
    startedMs: 0,
    fate: { abort },
    answer: () => undefined,
  };
}

const ACME = { engagement: engagementOf(stopFlip('e1', { scope: 'tenant', target: 'acme' })), revision: 1 };

describe('calls in flight', () => {
  it('are aborted where a stop covers them, each once, all calls of a run for one reason', () => {
    const { decider, inFlight, aborted, add } = rig();
    const inside = add('r1');
    inFlight.add(callOf(inside.context, (reason) => aborted.push(reason)));
    const outside = add('other');
    decider.stop = ACME;
    inFlight.abortStopped();
    inFlight.abortStopped();
    inFlight.abortUnverified();
    const kinds = aborted.map((reason) => (reason instanceof HaltedError ? reason.kind : null));
    expect(kinds).toEqual(['operator', 'operator', 'unverified']);
    expect(aborted.slice(0, 2)).toEqual([inside.context.latch, inside.context.latch]);
    expect(outside.context.latch).toBeNull();
  });

  it('of one run share no fate where a stop covers one capability of it only, in whatever order they went out', () => {
    const { decider, inFlight } = rig();
    const context = new RunContext({ run: 'r1', agent: 'a1' }, null);
    const reached: string[] = [];
    for (const capability of ['write/mail', 'read/crm', 'write/mail', 'write/mail', 'read/crm']) {
      const subject = { ...context.subject, capability };
      inFlight.add({ ...callOf(context, () => reached.push(capability)), subject });
    }
    decider.stop = {
      engagement: engagementOf(stopFlip('e1', { scope: 'capability', target: 'write/*' })),
      revision: 1,
    };
    inFlight.abortStopped();
    expect(reached).toEqual(['write/mail', 'write/mail', 'write/mail']);
  });

  it('that share their fate are aborted at once, and each is answered', () => {
    const { decider, inFlight, aborted } = rig();
    const answered: string[] = [];
    const one = callOf(new RunContext({ run: 'r1', agent: 'a1', tenant: 'acme' }, null), (reason) =>
      aborted.push(reason),
    );
    const [first] = ['first', 'second', 'third'].map((name) =>
      inFlight.add({ ...one, idempotencyKey: name, answer: () => answered.push(name) }),
    );
    first?.ended();
    expect(inFlight.list().map(({ call }) => call.idempotencyKey)).toEqual(['second', 'third']);
    decider.stop = ACME;
    inFlight.abortStopped();
    expect([aborted.length, answered, inFlight.count]).toEqual([1, ['second', 'third'], 2]);
    expect(inFlight.list().map(({ aborted: was }) => was)).toEqual([true, true]);
  });

  it('that join what was aborted already are aborted by the next look', () => {
    const { decider, inFlight, aborted } = rig();
    const context = new RunContext({ run: 'r1', agent: 'a1', tenant: 'acme' }, null);
    const call = callOf(context, (reason) => aborted.push(reason));
    inFlight.add(call);
    decider.stop = ACME;
    inFlight.abortStopped();
    inFlight.add(call);
    inFlight.abortStopped();
    expect(aborted).toHaveLength(2);
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

describe('a call that ignores its signal', () => {
  const LONG = { ...LOOKUP, deadlineMs: 60_000 };

  function sent(gated: GateRig, held: HeldCall, run = 'r1'): Fate {
    return new Fate(gated.gate.enter({ run, agent: 'a1' }, () => gated.gate.run(LONG, held.call)));
  }

  it('is answered for at once, and named once its deadline has passed, until it really ends', async () => {
    const gated = new GateRig();
    const held = new HeldCall();
    const fate = sent(gated, held);
    const sinceMs = gated.clock.monotonicMs();
    gated.clock.advance(1_000);
    gated.stop();
    await settled();
    expect([fate.error, held.signal?.aborted]).toEqual([expect.objectContaining({ kind: 'operator' }), true]);
    expect([gated.inFlight.count, gated.inFlight.unconfirmed()]).toEqual([1, []]);
    gated.clock.advance(59_000);
    expect(gated.inFlight.unconfirmed()).toEqual([{ capability: 'read/crm', run: 'r1', sinceMs }]);
    expect([gated.inFlight.count, gated.inFlight.unconfirmedEver]).toEqual([0, 1]);
    held.resolve('late');
    await settled();
    expect([gated.inFlight.unconfirmed(), gated.inFlight.unconfirmedEver]).toEqual([[], 1]);
  });

  it('is not named when it ends within its deadline', async () => {
    const gated = new GateRig();
    const held = new HeldCall();
    sent(gated, held);
    gated.stop();
    held.reject(new Error('aborted'));
    await settled();
    gated.clock.advance(60_000);
    expect([gated.inFlight.unconfirmed(), gated.inFlight.unconfirmedEver, gated.clock.timerCount]).toEqual([[], 0, 0]);
  });

  it('is one of at most a thousand that are named; of more the oldest are counted', () => {
    const gated = new GateRig();
    for (let at = 0; at < 1_200; at += 1) sent(gated, new HeldCall(), `r${at}`);
    gated.clock.advance(60_000);
    const named = gated.inFlight.unconfirmed();
    expect([named.length, named[0]?.run, named.at(-1)?.run]).toEqual([1_000, 'r200', 'r1199']);
    expect(gated.inFlight.unconfirmedEver).toBe(1_200);
  });
});

describe('calls under a lost claim', () => {
  it('are aborted with the reason, and no others', () => {
    const { inFlight, aborted } = rig();
    const reason = new Error('lost');
    for (const task of ['t1', 't2']) {
      const context = new RunContext({ run: task, agent: 'a1', claim: { task, token: `token-${task}` } }, null);
      inFlight.add(callOf(context, (why) => aborted.push(why)));
    }
    inFlight.abortClaim('token-t1', reason);
    inFlight.abortClaim('token-t1', reason);
    expect(aborted).toEqual([reason]);
    expect(inFlight.list().map(({ aborted: was }) => was)).toEqual([true, false]);
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
