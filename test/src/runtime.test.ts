import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/store/store.ts';
import { Runtime } from '../../src/runtime.ts';
import type { RuntimeOptions, WorkerStore } from '../../src/runtime.ts';
import { NAMESPACE, releaseFlip, stopFlip } from './chain-store.ts';
import { Fate } from './fate.ts';
import { HeldCall, LOOKUP, MAIL } from './gate-rig.ts';
import { ManualClock, pass, settled } from './manual-clock.ts';
import { ScriptedSource } from './scripted-source.ts';

const RUN = { run: 'r1', agent: 'a1', tenant: 'acme' };

interface Rig {
  readonly clock: ManualClock;
  readonly source: ScriptedSource;
  readonly runtime: Runtime;
  readonly recorded: Outcome[];
  readonly closed: () => number;
}

function rig(options: Partial<RuntimeOptions> = {}): Rig {
  const clock = new ManualClock();
  const source = new ScriptedSource();
  const recorded: Outcome[] = [];
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
    tasks: {
      claim: () => Promise.resolve([]),
      finish: () => Promise.resolve(true),
      giveBack: () => Promise.resolve(true),
    },
    close: async () => {
      closed += 1;
      await Promise.resolve();
    },
  };
  const runtime = new Runtime(store, { namespace: NAMESPACE, incarnation: 'i1', clock, ...options });
  return { clock, source, runtime, recorded, closed: () => closed };
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
});
