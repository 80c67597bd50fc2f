import { describe, expect, it } from 'vitest';
import { DrainTimers } from '../../src/drain-timers.ts';
import { canonicalText } from '../../src/flip-text.ts';
import { Registry } from '../../src/registry.ts';
import { ChainStore, NAMESPACE, releaseFlip, stopFlip, subjectOf } from './chain-store.ts';
import { ManualClock } from './manual-clock.ts';

const DRAIN = stopFlip('d', { queue: 'drain', drainMs: 1_000 });
const ADMITTED = subjectOf({ admittedRevision: 0 });

function rig() {
  const store = new ChainStore();
  const registry = new Registry(NAMESPACE);
  const clock = new ManualClock();
  const timers = new DrainTimers(registry, clock);
  registry.load(store.load());
  return { store, registry, clock, timers, passes: () => registry.decide(ADMITTED).kind === 'pass' };
}

describe('a drain in a registry', () => {
  it('passes what was admitted before it for as long as it lasts, counted from when it was applied', () => {
    const { store, registry, clock, passes } = rig();
    clock.advance(5_000);
    registry.apply([store.commit(DRAIN)]);
    clock.advance(999);
    expect(passes()).toBe(true);
    expect(registry.decide(subjectOf({ admittedRevision: 1 })).kind).toBe('halt');
    const { version } = registry;
    clock.advance(1);
    expect([passes(), registry.version > version, clock.timerCount]).toEqual([false, true, 0]);
  });

  it('is not prolonged by a full load, nor begun again by one after its end', () => {
    const { store, registry, clock, passes } = rig();
    registry.apply([store.commit(DRAIN)]);
    clock.advance(600);
    registry.load(store.load());
    clock.advance(399);
    expect(passes()).toBe(true);
    clock.advance(1);
    expect(passes()).toBe(false);
    registry.load(store.load());
    expect([passes(), clock.timerCount]).toEqual([false, 0]);
  });

  it('counts from the first load in a process that starts while it is open', () => {
    const { store, registry, clock, passes } = rig();
    store.commit(DRAIN);
    registry.load(store.load());
    expect(passes()).toBe(true);
    clock.advance(1_000);
    expect(passes()).toBe(false);
  });

  it('passes nothing while it is early and nobody has named its place; its time runs all the same', () => {
    const { store, registry, clock, passes } = rig();
    registry.arrive({ text: canonicalText(DRAIN), signature: null, place: null });
    expect(passes()).toBe(false);
    clock.advance(400);
    registry.apply([store.commit(DRAIN)]);
    expect(passes()).toBe(true);
    clock.advance(600);
    expect(passes()).toBe(false);
  });

  it('passes nothing any more once a reload has lost it from the history', () => {
    const { store, registry, passes } = rig();
    registry.apply([store.commit(DRAIN)]);
    store.lose(1);
    registry.load(store.load());
    expect([registry.openCount, passes()]).toEqual([1, false]);
  });

  it('lasts as long as the store says, where an early copy said otherwise', () => {
    const { store, registry, clock, passes } = rig();
    registry.arrive({ text: canonicalText({ ...DRAIN, drainMs: 60_000 }), signature: null, place: null });
    registry.apply([store.commit(DRAIN)]);
    clock.advance(1_000);
    expect([passes(), clock.timerCount]).toEqual([false, 0]);
  });

  it('leaves no timer behind when it is released, or when the timers are closed', () => {
    const { store, registry, clock, timers } = rig();
    registry.apply([store.commit(DRAIN)]);
    registry.apply([store.commit(releaseFlip('x', ['d']))]);
    expect(clock.timerCount).toBe(0);
    registry.apply([store.commit({ ...DRAIN, id: 'd2' })]);
    expect(clock.timerCount).toBe(1);
    timers.close();
    expect(clock.timerCount).toBe(0);
    registry.apply([store.commit({ ...DRAIN, id: 'd3' })]);
    expect(clock.timerCount).toBe(0);
  });

  it('that nobody knows cannot be ended', () => {
    const { registry } = rig();
    const { version } = registry;
    registry.drainEnded('nobody');
    expect(registry.version).toBe(version);
  });
});

describe('what is critical', () => {
  it('is the store’s word as of the last load', () => {
    const { store, registry } = rig();
    registry.apply([store.commit(stopFlip('e', { mode: 'halt_noncritical' }))]);
    const reads = subjectOf({ capability: 'read/crm' });
    expect(registry.decide(reads).kind).toBe('halt');
    store.critical = ['read/*'];
    registry.load(store.load());
    expect(registry.decide(reads).kind).toBe('pass');
    expect(registry.grounds.critical).toEqual(['read/*']);
    store.critical = [];
    registry.load(store.load());
    expect(registry.decide(reads).kind).toBe('halt');
  });
});
