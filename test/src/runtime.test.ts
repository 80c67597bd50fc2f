import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/store/store.ts';
import type { EmergencyResult } from '../../src/control/emergency.ts';
import type { Effect } from '../../src/effect.ts';
import type { RunIdentity } from '../../src/run-context.ts';
import { Runtime } from '../../src/runtime.ts';
import type { RuntimeOptions, WorkerStore } from '../../src/runtime.ts';
import { NAMESPACE, releaseFlip, stopFlip } from './chain-store.ts';
import { Fate } from './fate.ts';
import { HeldCall, LOOKUP, MAIL } from './gate-rig.ts';
import { ManualClock, pass, settled } from './manual-clock.ts';
import { ScriptedQueue, claimedTask } from './scripted-queue.ts';
import { ScriptedSource } from './scripted-source.ts';

const RUN = { run: 'r1', agent: 'a1', tenant: 'acme' };

interface Rig {
  readonly clock: ManualClock;
  readonly source: ScriptedSource;
  readonly runtime: Runtime;
  readonly recorded: Outcome[];
  readonly queue: ScriptedQueue;
  readonly closed: () => number;
}

function rig(options: Partial<RuntimeOptions> = {}): Rig {
  const clock = new ManualClock();
  const source = new ScriptedSource();
  const recorded: Outcome[] = [];
  const queue = new ScriptedQueue();
  let closed = 0;
  const store: WorkerStore = {
    source,
    fence: {
      admitIntents: async (_incarnation, head) => Promise.resolve(source.store.fence(head)),
      enqueue: async (head) => Promise.resolve(source.store.fence(head)),
    },
    outcomes: {
      record: async (_incarnation, outcomes) => {
        recorded.push(...outcomes);
        await Promise.resolve();
      },
    },
    tasks: queue,
    close: async () => {
      closed += 1;
      await Promise.resolve();
    },
  };
  const runtime = new Runtime(store, { namespace: NAMESPACE, incarnation: 'i1', clock, ...options });
  return { clock, source, runtime, recorded, queue, closed: () => closed };
}

describe('the runtime', () => {
  it('refuses everything until it is ready, and lets it flow then', async () => {
    const { clock, runtime, source, recorded } = rig();
    source.failing.add('load');
    const early = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(LOOKUP, () => Promise.resolve())));
    const ready = new Fate(runtime.ready(5_000));
    await pass(clock, 200);
    expect([early.error, ready.now]).toEqual([expect.objectContaining({ kind: 'unverified' }), 'pending']);
    source.failing.clear();
    await pass(clock, 200);
    expect(ready.now).toBe('resolved undefined');
    const flows = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(MAIL, () => Promise.resolve('sent'))));
    await settled();
    expect([flows.now, recorded]).toEqual(['resolved sent', [{ seq: 1, kind: 'landed', detail: null }]]);
    await runtime.close();
  });

  it('leaves no timer behind once it is closed, so that a program that is through ends by itself', async () => {
    const { clock, runtime } = rig();
    const ready = new Fate(runtime.ready(15_000));
    await pass(clock, 200);
    expect(ready.now).toBe('resolved undefined');
    await runtime.close();
    expect(clock.timerCount).toBe(0);
  });

  it('says so when the store gives no lease in time, as a store that is too young does', async () => {
    const { clock, runtime, source } = rig();
    source.store.ageMs = 10;
    const ready = new Fate(runtime.ready(300));
    await pass(clock, 400);
    expect(ready.error).toMatchObject({ code: 'NOT_READY' });
    await runtime.close();
  });

  it('aborts what is in flight by a notification, and dispatches nothing after it', async () => {
    const { clock, runtime, source } = rig();
    await pass(clock, 50);
    const held = new HeldCall();
    const fate = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(MAIL, held.call)));
    await settled();
    source.notify(source.store.commit(stopFlip('e1', { scope: 'tenant', target: 'acme' })));
    expect(held.signal?.aborted).toBe(true);
    await settled();
    expect(fate.error).toMatchObject({ kind: 'operator', revision: 1 });
    const other = new Fate(
      runtime.gate.enter({ ...RUN, tenant: 'other' }, () => runtime.gate.run(MAIL, () => Promise.resolve('flows'))),
    );
    await settled();
    expect(other.now).toBe('resolved flows');
    held.reject(new Error('aborted'));
    await runtime.close();
  });

  it('learns of a stop from the fence alone, when nothing propagates', async () => {
    const { clock, runtime, source } = rig();
    await pass(clock, 50);
    source.failing.add('flipsAfter');
    source.store.commit(stopFlip('e1'));
    const held = new HeldCall();
    const fate = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(MAIL, held.call)));
    await settled();
    expect([held.started, fate.error]).toEqual([0, expect.objectContaining({ kind: 'operator' })]);
    await runtime.close();
  });

  it('halts within lease and grace when the store is gone, and goes on when it is back', async () => {
    const { clock, runtime, source } = rig();
    await pass(clock, 50);
    const held = new HeldCall();
    const fate = new Fate(
      runtime.gate.enter(RUN, () => runtime.gate.run({ ...LOOKUP, deadlineMs: 60_000 }, held.call)),
    );
    for (const what of ['load', 'flipsAfter', 'listen'] as const) source.failing.add(what);
    await pass(clock, 1_200 + 300 + 60);
    expect(fate.error).toMatchObject({ kind: 'unverified' });
    expect(held.signal?.aborted).toBe(true);
    source.failing.clear();
    await pass(clock, 200);
    const again = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(LOOKUP, () => Promise.resolve('flows'))));
    await settled();
    expect(again.now).toBe('resolved flows');
    held.resolve('late');
    await runtime.close();
  });

  it('lets flow again after the release, for a new run', async () => {
    const { clock, runtime, source } = rig();
    source.store.commit(stopFlip('e1'));
    await pass(clock, 50);
    source.notify(source.store.commit(releaseFlip('x1', ['e1'])));
    await settled();
    const flows = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(MAIL, () => Promise.resolve('sent'))));
    await settled();
    expect(flows.now).toBe('resolved sent');
    await runtime.close();
  });

  it('asks through the wrapped decider where one is given', async () => {
    const { clock, runtime } = rig({
      decider: (genuine) => ({ version: genuine.version, stopFor: () => null, verified: () => false }),
    });
    await pass(clock, 50);
    const refused = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(LOOKUP, () => Promise.resolve())));
    await settled();
    expect(refused.error).toMatchObject({ kind: 'unverified' });
    await runtime.close();
  });

  it('lets go of everything once, however often it is closed', async () => {
    const { clock, runtime, closed } = rig();
    await pass(clock, 50);
    await Promise.all([runtime.close(), runtime.close()]);
    await runtime.close();
    expect([closed(), clock.timerCount]).toEqual([1, 0]);
  });

  it('lets what is critical pass halt_noncritical as the operator has it at that stop', async () => {
    const { clock, runtime, source } = rig();
    await pass(clock, 50);
    source.store.critical = ['read/*'];
    source.notify(source.store.commit(stopFlip('e1', { mode: 'halt_noncritical', queue: 'park' })));
    await pass(clock, 50);
    const sent = (effect: Effect, identity: RunIdentity = RUN): Fate =>
      new Fate(runtime.gate.enter(identity, () => runtime.gate.run(effect, () => Promise.resolve('sent'))));
    const fates = [sent(LOOKUP), sent(MAIL), sent(MAIL, { ...RUN, critical: true })];
    await settled();
    expect(fates.map(({ now }) => now.slice(0, 8))).toEqual(['resolved', 'rejected', 'resolved']);
    await runtime.close();
  });

  it('lets an admitted task drain, with what it starts within itself, and aborts it when the drain is over', async () => {
    const { clock, runtime, source } = rig();
    await pass(clock, 50);
    source.notify(source.store.commit(stopFlip('e1', { queue: 'drain', drainMs: 2_000 })));
    await pass(clock, 50);
    const held = new HeldCall();
    const old = runtime.gate.enterTask(claimedTask('t1', { admittedRevision: 0 }), () =>
      runtime.gate.enter({ run: 'child', agent: 'a2' }, () =>
        runtime.gate.run({ ...MAIL, deadlineMs: 60_000 }, held.call),
      ),
    );
    const fate = new Fate(old);
    const young = new Fate(
      runtime.gate.enterTask(claimedTask('t2', { admittedRevision: 1 }), () => runtime.gate.run(MAIL, held.call)),
    );
    await settled();
    expect([held.started, fate.now, young.error]).toEqual([
      1,
      'pending',
      expect.objectContaining({ engagement: 'e1' }),
    ]);
    await pass(clock, 2_000);
    expect([held.signal?.aborted, fate.error]).toEqual([true, expect.objectContaining({ engagement: 'e1' })]);
    held.resolve('late');
    await runtime.close();
    expect(clock.timerCount).toBe(0);
  });

  it('sweeps when a flip comes, and once a second', async () => {
    const { clock, runtime, source, queue } = rig();
    await pass(clock, 500);
    const before = queue.asked.length;
    source.notify(source.store.commit(stopFlip('e1')));
    await pass(clock, 50);
    expect(queue.asked.length).toBeGreaterThan(before);
    const then = queue.asked.length;
    await pass(clock, 2_100);
    expect(queue.asked.length - then).toBeLessThanOrEqual(3);
    expect(queue.asked.length - then).toBeGreaterThanOrEqual(2);
    await runtime.close();
  });

  it('goes on with its gate though every sweep fails', async () => {
    const errors: string[] = [];
    const { clock, runtime, queue } = rig({ onError: ({ message }) => errors.push(message) });
    queue.failing = new Error('sweep: permission denied');
    await pass(clock, 1_200);
    const flows = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(MAIL, () => Promise.resolve('sent'))));
    await settled();
    expect([flows.now, errors]).toEqual(['resolved sent', [queue.failing.message, queue.failing.message]]);
    await runtime.close();
  });

  it('ends what runs under a claim that is lost, a journal-free read too', async () => {
    const { clock, runtime, queue } = rig({ claimMs: 1_200 });
    await pass(clock, 50);
    queue.waiting = [claimedTask('t1')];
    const [task] = await runtime.claims.claim(1);
    const held = new HeldCall();
    const fates: Fate[] = [];
    runtime.gate.enterTask(task!, () => {
      fates.push(new Fate(runtime.gate.run({ ...MAIL, deadlineMs: 60_000 }, held.call)));
      void pass(clock, 500).then(() => fates.push(new Fate(runtime.gate.run(LOOKUP, held.call))));
    });
    queue.taken.add('t1');
    await pass(clock, 700);
    expect(held.started).toBe(1);
    expect(held.signal?.aborted).toBe(true);
    for (const { error } of fates) expect(error).toMatchObject({ code: 'CLAIM_LOST' });
    expect(fates).toHaveLength(2);
    held.resolve('late');
    await runtime.close();
  });

  it('tells of an emergency after its aborts, and writes the snapshot before it lets go of the store', async () => {
    const told: EmergencyResult[] = [];
    const { clock, runtime, source } = rig({ onEmergency: (result) => told.push(result) });
    await pass(clock, 50);
    const held = new HeldCall();
    const fate = new Fate(runtime.gate.enter(RUN, () => runtime.gate.run(MAIL, held.call)));
    await settled();
    source.notify(source.store.commit(stopFlip('e1', { mode: 'emergency' })));
    expect(held.signal?.aborted).toBe(true);
    held.resolve('late');
    await runtime.close();
    expect([told, fate.error]).toEqual([
      [{ revision: 1, snapshot: null, hooks: [] }],
      expect.objectContaining({ mode: 'emergency' }),
    ]);
  });

  it('closes in time though store, sweep and hooks never end, and though its log fails', async () => {
    const { clock, runtime, source, queue, closed } = rig({
      emergency: { hooks: [{ name: 'stuck', notify: () => new Promise(() => undefined) }], boundMs: 60_000 },
      onError: () => {
        throw new Error('disk full');
      },
    });
    await pass(clock, 50);
    source.notify(source.store.commit(stopFlip('e1', { mode: 'emergency' })));
    queue.pace = () => new Promise(() => undefined);
    source.silence();
    const closing = new Fate(runtime.close(1_000));
    await pass(clock, 900);
    expect(closing.now).toBe('pending');
    await pass(clock, 200);
    expect([closing.now, closed()]).toEqual(['resolved undefined', 1]);
  });
});
