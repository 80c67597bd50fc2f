import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KilldrillError } from '../../src/errors.ts';
import { canonicalText } from '../../src/flip-text.ts';
import { Registry } from '../../src/registry.ts';
import { ChainStore, NAMESPACE, releaseFlip, stopFlip, subjectOf } from './chain-store.ts';
import type { StoreFlaw } from './chain-store.ts';
import { refuses } from './oracle.ts';
import { counterexampleOf } from './planted-bug.ts';
import { RegistryWorld, actions } from './registry.model.ts';
import { WeakerRegistry } from './weaker-registry.ts';
import type { RegistryFlaw, RegistryUnderTest } from './weaker-registry.ts';

const PROBES = [
  subjectOf(),
  subjectOf({ capability: 'write/mail' }),
  subjectOf({ tenant: 'other', run: 'r9', capability: 'read/crm' }),
  subjectOf({ tenant: 'other', run: 'r9', lineage: ['r1'] }),
];

function model(make: () => RegistryUnderTest, numRuns: number, storeFlaw: StoreFlaw = 'none'): void {
  fc.assert(
    fc.property(actions, (steps) => {
      const registry = make();
      const world = new RegistryWorld(registry, storeFlaw);
      for (const step of steps) {
        world.act(step);
        expect(world.wrong()).toBeNull();
      }
      world.quiet();
      expect(world.wrong()).toBeNull();
      expect(world.disagreement()).toBeNull();
      if (registry instanceof Registry) {
        for (const who of PROBES) {
          expect(registry.decide(who).kind === 'halt').toBe(refuses(world.store.openEngagements(), who));
        }
      }
      expect(world.stillHalted()).toBeNull();
    }),
    { numRuns },
  );
}

describe('the registry, whatever is delivered, lost, doubled, late or out of order', () => {
  it('enforces what has come and not ended, ends up with the store’s decision, and stays halted by nothing', () => {
    model(() => new Registry(NAMESPACE), 3_000);
  });

  it('is matched by the shortest right registry, so that a planted flaw is all that the model finds', () => {
    model(() => new WeakerRegistry('none'), 1_000);
  });

  it.each<[RegistryFlaw, RegExp]>([
    ['releases apply on arrival', /set free of|the process enforces/],
    ['one high-water mark', /set free of|the process enforces|still relays/],
    ['early stops dropped on reload', /set free of/],
    ['early stops time out', /set free of/],
    ['compares by revision number only', /set free of|the process enforces/],
    ['trusts the place of a late stop', /set free of/],
    ['relays only stops without a place', /the process enforces|halts for ever|still relays/],
    ['a closed stop stays', /halted by|the process enforces|halts for ever/],
  ])('is found out where %s', async (flaw, symptom) => {
    const storeFlaw = flaw === 'compares by revision number only' ? flaw : 'none';
    expect(await counterexampleOf(() => model(() => new WeakerRegistry(flaw), 20_000, storeFlaw))).toMatch(symptom);
  });

  it('finds a store that would open a stop twice', async () => {
    const said = await counterexampleOf(() =>
      model(() => new WeakerRegistry('none'), 20_000, 'remembers open stops only'),
    );
    expect(said).toMatch(/opened twice/);
  });
});

describe('the registry', () => {
  function loaded(): { readonly registry: Registry; readonly store: ChainStore } {
    const store = new ChainStore();
    const registry = new Registry(NAMESPACE);
    registry.load(store.load());
    return { registry, store };
  }

  it('has no head before its first load, and applies nothing without one', () => {
    const store = new ChainStore();
    store.commit(stopFlip('e1'));
    const registry = new Registry(NAMESPACE);
    expect(registry.head).toBeNull();
    expect(registry.apply(store.flips)).toEqual({ kind: 'gap' });
    expect(registry.arrive({ text: canonicalText(stopFlip('e2')), signature: null, place: null })).toBe(true);
    expect(registry.openCount).toBe(1);
  });

  it('takes the store’s text where an early copy had another under the same id', () => {
    const { registry, store } = loaded();
    const mild = stopFlip('e1', { scope: 'agent', target: 'a1', mode: 'halt_noncritical' });
    registry.arrive({ text: canonicalText(mild), signature: null, place: null });
    store.commit(stopFlip('e1', { mode: 'emergency' }));
    registry.apply(store.flips);
    expect(registry.openEngagements()).toEqual(store.openEngagements());
  });

  it('tells of what it applied before a flip that it cannot read, and keeps its head there', () => {
    const { registry, store } = loaded();
    store.commit(stopFlip('e1'));
    const unreadable = store.commit({ ...stopFlip('e2'), mode: 'sideways' as 'halt_all' });
    expect(unreadable.revision).toBe(2);
    const { version } = registry;
    let told = 0;
    registry.onChange(() => {
      told += 1;
    });
    expect(() => registry.apply(store.flips)).toThrow(KilldrillError);
    expect(registry.head?.revision).toBe(1);
    expect(registry.version).toBeGreaterThan(version);
    expect(told).toBe(1);
    expect(registry.decide(subjectOf()).kind).toBe('halt');
  });

  it('changes nothing by a load that it cannot read', () => {
    const { registry, store } = loaded();
    registry.arrive({ text: canonicalText(stopFlip('e1')), signature: null, place: null });
    const head = registry.head;
    const answer = store.load();
    const release = store.commit(releaseFlip('x', ['e9']));
    expect(() => registry.load({ ...answer, head: store.head, open: [release] })).toThrow(/which is a release/);
    expect(registry.head).toBe(head);
    expect(registry.openCount).toBe(1);
  });

  it('refuses flips of another namespace by every path', () => {
    const { registry, store } = loaded();
    const foreign = { ...stopFlip('e1'), namespace: 'elsewhere' };
    expect(() => registry.arrive({ text: canonicalText(foreign), signature: null, place: null })).toThrow(
      /'elsewhere'/,
    );
    store.commit(foreign);
    expect(() => registry.apply(store.flips)).toThrow(/'elsewhere'/);
    expect(() => registry.load(store.load())).toThrow(/'elsewhere'/);
    expect(registry.openCount).toBe(0);
  });

  it.each(['', '{', 'null', '[]', '{"kind":"stop"}', '"stop"', '{"kind":"pause"}'])('refuses the junk %j', (text) => {
    expect(() => loaded().registry.arrive({ text, signature: null, place: null })).toThrow(/a flip's/);
  });

  it('keeps its listeners from each other and from itself', () => {
    const { registry } = loaded();
    const heard: number[] = [];
    registry.onChange(() => {
      throw new Error('a listener of no use');
    });
    registry.onChange(({ openCount }) => heard.push(openCount));
    expect(registry.arrive({ text: canonicalText(stopFlip('e1')), signature: null, place: null })).toBe(true);
    expect(heard).toEqual([1]);
  });

  it('says how its prefix stands to a head that was answered', () => {
    const { registry, store } = loaded();
    const { head: start } = store;
    expect(registry.standing(start)).toBe('reached');
    store.commit(stopFlip('e1'));
    expect(registry.standing(store.head)).toBe('behind');
    registry.apply(store.flips);
    expect(registry.standing(store.head)).toBe('reached');
    expect(registry.standing(start)).toBe('reached');
    expect(registry.standing({ ...store.head, hash: 'another' })).toBe('diverged');
    expect(registry.standing({ ...store.head, epoch: 'another' })).toBe('diverged');
  });

  it('does not let a late answer `closed` lift a stop that its prefix holds', () => {
    const { registry, store } = loaded();
    const text = canonicalText(stopFlip('e1'));
    registry.arrive({ text, signature: null, place: null });
    const opened = store.commit(stopFlip('e1'));
    store.commit(releaseFlip('x1', ['e1']));
    const closed = store.relay(text);
    store.lose(1);
    registry.apply([opened]);
    registry.relayed('e1', closed);
    expect([closed.kind, registry.openCount, store.openIds()]).toEqual(['closed', 1, ['e1']]);
  });

  it('remembers the last stops that have ended, and asks the store about older ones', () => {
    const { registry, store } = loaded();
    const record = store.commit(stopFlip('e1'));
    const place = { text: record.text, signature: null, place: record };
    registry.apply([record, store.commit(releaseFlip('x1', ['e1']))]);
    expect(registry.arrive(place)).toBe(false);
    for (let thousand = 0; thousand < 10; thousand += 1) {
      const many = Array.from({ length: 1_000 }, (_, at) => `gone-${thousand}-${at}`);
      registry.apply([store.commit(releaseFlip(`y${thousand}`, many))]);
    }
    expect(registry.arrive(place), 'forgotten, so enforced until the store answers').toBe(true);
    registry.relayed('e1', store.relay(record.text));
    expect(registry.openCount).toBe(0);
  });

  it('knows the revision of a stop once any path has named it', () => {
    const { registry, store } = loaded();
    registry.arrive({ text: canonicalText(stopFlip('e1')), signature: null, place: null });
    expect(registry.revisionOf('e1')).toBeNull();
    registry.relayed('e1', store.relay(canonicalText(stopFlip('e1'))));
    expect(registry.revisionOf('e1')).toBe(1);
    expect(registry.toRelay()).toHaveLength(1);
    registry.apply(store.flips);
    expect(registry.toRelay()).toHaveLength(0);
  });
});
