import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../src/flip-text.ts';
import { Lease } from '../../../src/lease.ts';
import { StoreFeed } from '../../../src/propagation/store-feed.ts';
import { Registry } from '../../../src/registry.ts';
import type { ChainStore } from '../chain-store.ts';
import { NAMESPACE, releaseFlip, stopFlip, subjectOf } from '../chain-store.ts';
import { Fate } from '../fate.ts';
import { ManualClock, pass, settled } from '../manual-clock.ts';
import { ScriptedSource } from '../scripted-source.ts';

const POLL_MS = 300;
const RETRY_MS = 100;

class FeedRig {
  readonly clock = new ManualClock();
  readonly source = new ScriptedSource();
  readonly registry = new Registry(NAMESPACE);
  readonly lease = new Lease(this.clock);
  readonly errors: string[] = [];
  readonly feed: StoreFeed;

  constructor() {
    const { clock, source, registry, lease } = this;
    this.feed = new StoreFeed({
      source,
      registry,
      lease,
      clock,
      timings: { pollMs: POLL_MS, retryMs: RETRY_MS },
      onError: ({ message }) => {
        this.errors.push(message);
        throw new Error('a log that fails');
      },
    });
  }

  get store(): ChainStore {
    return this.source.store;
  }

  halted(): boolean {
    return this.registry.decide(subjectOf()).kind === 'halt';
  }

  /** What was asked of the source since the last look. */
  asked(): string[] {
    return this.source.asked.splice(0);
  }
}

async function started(): Promise<FeedRig> {
  const rig = new FeedRig();
  rig.feed.start();
  await settled();
  rig.asked();
  return rig;
}

describe('a feed from the store', () => {
  it('listens, loads, and is ready with a lease; then it polls', async () => {
    const rig = new FeedRig();
    rig.store.commit(stopFlip('e1'));
    const ready = new Fate(rig.feed.ready());
    rig.feed.start();
    rig.feed.start();
    await settled();
    expect(rig.asked()).toEqual(['listen', 'load']);
    expect([ready.now, rig.lease.held(), rig.halted()]).toEqual(['resolved undefined', true, true]);
    await pass(rig.clock, POLL_MS);
    expect(rig.asked()).toEqual(['flipsAfter']);
    await rig.feed.ready();
  });

  it('keeps the lease for as long as the store answers, and not longer', async () => {
    const rig = await started();
    for (let round = 0; round < 10; round += 1) {
      await pass(rig.clock, POLL_MS, 50);
      expect(rig.lease.held()).toBe(true);
    }
    rig.source.failing.add('flipsAfter');
    await pass(rig.clock, rig.lease.leaseMs, 50);
    expect(rig.lease.held()).toBe(false);
    rig.source.failing.clear();
    await pass(rig.clock, RETRY_MS);
    expect(rig.lease.held()).toBe(true);
  });

  it('enforces a stop on its notification, before anything is fetched', async () => {
    const rig = await started();
    rig.source.silence();
    rig.source.notify(rig.store.commit(stopFlip('e1')));
    expect([rig.halted(), rig.registry.head?.revision]).toEqual([true, 0]);
    await rig.source.speak();
    expect(rig.registry.head?.revision).toBe(1);
    expect(rig.asked()).toEqual(['flipsAfter']);
  });

  it('lifts a stop by the fetch that its release’s notification causes', async () => {
    const rig = await started();
    rig.source.notify(rig.store.commit(stopFlip('e1')));
    await settled();
    const release = rig.store.commit(releaseFlip('x1', ['e1']));
    rig.source.notify(release);
    expect(rig.halted()).toBe(true);
    await settled();
    expect(rig.halted()).toBe(false);
  });

  it('fetches on a notification without a flip, and after one that came during a fetch', async () => {
    const rig = await started();
    rig.source.silence();
    rig.source.notify(null);
    await settled();
    rig.store.commit(stopFlip('e1'));
    rig.source.notify(null);
    await rig.source.speak();
    expect(rig.asked()).toEqual(['flipsAfter', 'flipsAfter']);
    expect(rig.registry.head?.revision).toBe(1);
  });

  it('goes on after a notification that it cannot read', async () => {
    const rig = await started();
    const junk = { epoch: 'epoch-1', revision: 1, hash: 'h', text: '{', signature: null };
    expect(() => rig.source.notify(junk)).not.toThrow();
    await settled();
    expect(rig.errors).toEqual([expect.stringContaining("a flip's text is not JSON")]);
    expect(rig.lease.held()).toBe(true);
  });
});

describe('a feed whose store has another history', () => {
  it('revokes the lease, reloads, and relays what it held', async () => {
    const rig = await started();
    rig.source.notify(rig.store.commit(stopFlip('e1')));
    await settled();
    rig.store.lose(1);
    rig.store.restore();
    rig.asked();
    rig.source.silence();
    rig.source.notify(null);
    await settled();
    await rig.source.speak();
    expect(rig.asked()).toEqual(['flipsAfter', 'load', 'relay']);
    expect(rig.store.openIds()).toEqual(['e1']);
    await pass(rig.clock, POLL_MS);
    expect([rig.halted(), rig.lease.held(), rig.registry.toRelay()]).toEqual([true, true, []]);
  });

  it('is unverified from the divergence until the load has been answered', async () => {
    const rig = await started();
    rig.store.restore();
    rig.source.failing.add('load');
    rig.source.notify(null);
    await settled();
    expect(rig.lease.held()).toBe(false);
    await pass(rig.clock, RETRY_MS * 3);
    expect(rig.lease.held()).toBe(false);
    expect(new Set(rig.asked().slice(1))).toEqual(new Set(['load']));
    rig.source.failing.clear();
    await pass(rig.clock, RETRY_MS);
    expect(rig.lease.held()).toBe(true);
  });

  it('takes a head of the same revision and another hash for another history', async () => {
    const rig = await started();
    rig.source.bend = (answer) => ({ ...answer, head: { ...answer.head, hash: 'another' } });
    rig.source.notify(null);
    await settled();
    expect(rig.asked()).toEqual(['flipsAfter', 'load']);
  });

  it('denies while the chain holds a flip that it cannot read', async () => {
    const rig = await started();
    rig.store.commit({ ...stopFlip('e1'), mode: 'sideways' as 'halt_all' });
    await pass(rig.clock, POLL_MS * 3);
    expect(rig.lease.held()).toBe(false);
    expect(rig.errors.join()).toContain("a flip's mode is wrong");
    rig.store.commit(releaseFlip('x1', ['e1']));
    await pass(rig.clock, POLL_MS);
    expect([rig.lease.held(), rig.halted()]).toEqual([true, false]);
  });

  it('reloads again when the reload is asked for while another is under way', async () => {
    const rig = await started();
    rig.source.silence();
    rig.feed.reload();
    await settled();
    rig.feed.reload();
    await rig.source.speak();
    expect(rig.asked()).toEqual(['load', 'load']);
  });

  it('earns nothing by an answer to a question from before the lease was revoked', async () => {
    const rig = await started();
    rig.source.silence();
    rig.source.notify(null);
    await settled();
    rig.clock.advance(10);
    rig.lease.revoke();
    await rig.source.speak();
    expect(rig.lease.held()).toBe(false);
  });
});

describe('a feed whose answers fall short', () => {
  it('renews no lease by an answer that names a head which its flips do not reach, and fetches on while it gets nearer', async () => {
    const rig = await started();
    for (const id of ['e1', 'e2', 'e3']) rig.store.commit(stopFlip(id));
    rig.source.bend = (answer) => (answer.kind === 'flips' ? { ...answer, flips: answer.flips.slice(0, 1) } : answer);
    const deadlineMs = rig.lease.deadlineMs;
    rig.clock.block(1);
    rig.source.notify(null);
    await settled();
    expect(rig.asked()).toEqual(['flipsAfter', 'flipsAfter', 'flipsAfter']);
    expect(rig.registry.head?.revision).toBe(3);
    expect(rig.lease.deadlineMs).toBe((deadlineMs ?? 0) + 1);
  });

  it('does not spin, and lets the lease end, when the flips never come', async () => {
    const rig = await started();
    rig.store.commit(stopFlip('e1'));
    rig.source.bend = (answer) => (answer.kind === 'flips' ? { ...answer, flips: [] } : answer);
    await pass(rig.clock, rig.lease.leaseMs);
    expect(rig.asked().length).toBeLessThan(8);
    expect(rig.lease.held()).toBe(false);
  });
});

describe('a feed that loses its subscription', () => {
  it('listens again at once, and fetches what it may have missed', async () => {
    const rig = await started();
    rig.store.commit(stopFlip('e1'));
    rig.source.listeners[0]?.lost(new Error('gone'));
    await settled();
    expect(rig.asked()).toEqual(['listen', 'flipsAfter']);
    expect(rig.halted()).toBe(true);
  });

  it('notices a loss that is told before the listening was answered', async () => {
    const rig = new FeedRig();
    rig.source.duringListen = ({ lost }) => {
      rig.source.duringListen = () => undefined;
      lost(new Error('gone already'));
    };
    const ready = new Fate(rig.feed.ready());
    rig.feed.start();
    await settled();
    expect(rig.source.listeners).toHaveLength(2);
    expect(ready.now).toBe('resolved undefined');
  });

  it('is not disturbed by an old subscription that says late that it was lost', async () => {
    const rig = await started();
    const [old] = rig.source.listeners;
    old?.lost(new Error('gone'));
    await settled();
    old?.lost(new Error('gone again'));
    await settled();
    expect(rig.source.listeners).toHaveLength(2);
    await rig.feed.close();
    expect(rig.source.listeners[1]?.closed).toBe(true);
  });

  it('does not spin while each attempt is told of its loss and fails', async () => {
    const rig = new FeedRig();
    rig.source.duringListen = ({ lost }) => {
      if (rig.source.listeners.length > 50) return;
      lost(new Error('gone already'));
      throw new Error('and never came');
    };
    rig.feed.start();
    await pass(rig.clock, RETRY_MS * 3);
    expect(rig.source.listeners.length).toBeLessThan(6);
    await rig.feed.close();
  });

  it('does not spin while each attempt is lost again', async () => {
    const rig = await started();
    rig.source.failing.add('listen');
    const [heard] = rig.source.listeners;
    rig.asked();
    heard?.lost(new Error('gone'));
    for (let step = 0; step < 30; step += 1) {
      heard?.lost(new Error('and again'));
      await pass(rig.clock, 10);
    }
    expect(rig.asked().length).toBeLessThan(6);
  });
});

describe('early stops', () => {
  function early(rig: FeedRig, id: string): void {
    rig.registry.arrive({ text: canonicalText(stopFlip(id)), signature: null, place: null });
  }

  it('are relayed until the store has opened them, and are ordinary flips then', async () => {
    const rig = await started();
    early(rig, 'e1');
    await pass(rig.clock, POLL_MS * 2);
    expect(rig.asked()).toEqual(['flipsAfter', 'relay', 'flipsAfter']);
    expect([rig.registry.toRelay(), rig.registry.revisionOf('e1')]).toEqual([[], 1]);
    rig.store.commit(releaseFlip('x1', ['e1']));
    await pass(rig.clock, POLL_MS);
    expect(rig.halted()).toBe(false);
  });

  it('end when the store answers that they are closed', async () => {
    const rig = new FeedRig();
    rig.store.commit(stopFlip('e1'));
    rig.store.commit(releaseFlip('x1', ['e1']));
    rig.feed.start();
    await settled();
    early(rig, 'e1');
    expect(rig.halted()).toBe(true);
    await pass(rig.clock, POLL_MS);
    expect(rig.halted()).toBe(false);
    early(rig, 'e1');
    expect(rig.halted()).toBe(false);
  });

  it('whose commit was lost are made durable again, though a path had named their place', async () => {
    const rig = await started();
    const record = rig.store.commit(stopFlip('e1'));
    rig.store.lose(1);
    rig.source.notify(record);
    await settled();
    expect(rig.store.openIds()).toEqual(['e1']);
  });

  it('that the store refuses hold back neither the others, nor the lease, nor readiness', async () => {
    const rig = new FeedRig();
    early(rig, 'poison');
    early(rig, 'e1');
    rig.source.refused.add('poison');
    const ready = new Fate(rig.feed.ready());
    rig.feed.start();
    await pass(rig.clock, POLL_MS * 5);
    expect([ready.now, rig.lease.held(), rig.store.openIds()]).toEqual(['resolved undefined', true, ['e1']]);
    expect(rig.registry.openCount, 'refused is not closed').toBe(2);
    expect(rig.errors).toContain('poison is refused');
  });
});

describe('closing a feed', () => {
  it('ends its rounds and its subscription, and leaves no timer', async () => {
    const rig = await started();
    await rig.feed.close();
    await rig.feed.close();
    expect([rig.source.listeners[0]?.closed, rig.clock.timerCount]).toEqual([true, 0]);
    await pass(rig.clock, POLL_MS * 3);
    expect(rig.asked()).toEqual([]);
  });

  it('does not wait for the pause after a failure', async () => {
    const rig = new FeedRig();
    rig.source.failing.add('listen');
    rig.feed.start();
    await settled();
    await rig.feed.close();
    expect(rig.clock.timerCount).toBe(0);
  });

  it('that was never started is over at once', async () => {
    await new FeedRig().feed.close();
  });
});
