import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Engagements,
  QUEUE_POLICIES,
  SCOPES,
  STOP_MODES,
  capabilityMatches,
  decide,
  modeStops,
  queuePolicyOf,
  switchMatches,
} from '../../src/switch.ts';
import type { Engagement, Grounds, Scope, StopMode, Subject } from '../../src/switch.ts';
import { engagementOf } from '../../src/flip-text.ts';
import { stopFlip, subjectOf } from './chain-store.ts';
import { modeFor, refuses } from './oracle.ts';

const STEPS = ['read', 'write', 'mail', 'crm'] as const;
const path = fc.array(fc.constantFrom(...STEPS), { minLength: 1, maxLength: 3 }).map((steps) => steps.join('/'));
const pattern = fc.oneof(
  path,
  path.map((above) => `${above}/*`),
);
const name = fc.constantFrom('x', 'y', 'z');
const run = fc.constantFrom('r1', 'r2', 'r3', 'r4');
const nullable = fc.option(name, { nil: null });

const subject: fc.Arbitrary<Subject> = fc.record({
  tenant: nullable,
  feature: nullable,
  agent: name,
  run,
  lineage: fc.array(run, { maxLength: 3 }),
  capability: fc.option(path, { nil: null }),
  admittedRevision: fc.option(fc.nat(9), { nil: null }),
  critical: fc.boolean(),
});
const grounds: fc.Arbitrary<Grounds> = fc.record({
  critical: fc.array(pattern, { maxLength: 2 }),
  drains: fc
    .array(fc.tuple(fc.nat(8), fc.nat(9)), { maxLength: 6 })
    .map((drains) => new Map(drains.map(([at, revision]) => [`e${at}`, revision]))),
});

function targetOf(scope: Scope): fc.Arbitrary<string> {
  if (scope === 'global') return fc.constant('*');
  if (scope === 'capability') return pattern;
  return scope === 'run' ? run : name;
}

const stop = fc.constantFrom(...SCOPES).chain((scope) =>
  fc.record({
    scope: fc.constant(scope),
    target: targetOf(scope),
    mode: fc.constantFrom(...STOP_MODES),
    queue: fc.constantFrom(...QUEUE_POLICIES),
  }),
);
const open = fc
  .array(stop, { maxLength: 8 })
  .map((stops) => stops.map((what, at): Engagement => engagementOf(stopFlip(`e${at}`, what))));

function indexed(engagements: readonly Engagement[]): Engagements {
  const index = new Engagements();
  for (const engagement of engagements) index.open(engagement);
  return index;
}

function engagement(id: string, scope: Scope, target: string, mode: StopMode = 'halt_all'): Engagement {
  return engagementOf(stopFlip(id, { scope, target, mode }));
}

describe('the decision', () => {
  it('is that of a look at every engagement, whatever is open and whoever asks', () => {
    fc.assert(
      fc.property(open, subject, grounds, (engagements, who, how) => {
        const decision = decide(indexed(engagements), who, how);
        expect(decision.kind === 'halt').toBe(refuses(engagements, who, how));
        if (decision.kind !== 'halt') return;
        expect(decision.engagement.mode).toBe(modeFor(engagements, who, how));
        expect(switchMatches(decision.engagement, who)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not change with the order in which stops came', () => {
    fc.assert(
      fc.property(open, subject, (engagements, who) => {
        const forth = decide(indexed(engagements), who);
        const back = decide(indexed(engagements.toReversed()), who);
        expect(forth.kind === 'halt' && forth.engagement.mode).toBe(back.kind === 'halt' && back.engagement.mode);
      }),
    );
  });

  it('never gets milder by one more stop', () => {
    fc.assert(
      fc.property(open, stop, subject, grounds, (engagements, more, who, how) => {
        const before = decide(indexed(engagements), who, how);
        const after = decide(indexed([...engagements, engagementOf(stopFlip('more', more))]), who, how);
        if (before.kind === 'halt') expect(after.kind).toBe('halt');
      }),
    );
  });

  it.each<[Scope, string]>([
    ['tenant', 'acme'],
    ['feature', 'chat'],
    ['capability', 'write/mail'],
    ['agent', 'a1'],
    ['run', 'r1'],
  ])('keeps a wide stop when a %s switch is in a lower mode', (scope, target) => {
    const both = indexed([
      engagement('wide', 'global', '*', 'emergency'),
      engagement('narrow', scope, target, 'halt_noncritical'),
    ]);
    const decision = decide(both, subjectOf({ capability: 'write/mail' }), {
      critical: ['write/mail'],
      drains: new Map(),
    });
    expect(decision.kind === 'halt' && decision.engagement.id).toBe('wide');
  });

  it('names the wider switch among equals and, on one switch, the one opened earlier', () => {
    const equals = indexed([
      engagement('agent', 'agent', 'a1'),
      engagement('first', 'tenant', 'acme'),
      engagement('second', 'tenant', 'acme'),
    ]);
    const decision = decide(equals, subjectOf());
    expect(decision.kind === 'halt' && decision.engagement.id).toBe('first');
  });

  it('reaches the descendants of a stopped run and nobody else', () => {
    const stopped = indexed([engagement('e', 'run', 'root')]);
    expect(decide(stopped, subjectOf({ run: 'root' })).kind).toBe('halt');
    expect(decide(stopped, subjectOf({ run: 'leaf', lineage: ['root', 'middle'] })).kind).toBe('halt');
    expect(decide(stopped, subjectOf({ run: 'leaf', lineage: ['other'] })).kind).toBe('pass');
  });

  it('finds nobody by a tenant or a feature that a subject does not have', () => {
    const stopped = indexed([engagement('t', 'tenant', 'null'), engagement('f', 'feature', '')]);
    expect(decide(stopped, subjectOf({ tenant: null, feature: null })).kind).toBe('pass');
  });

  it('refuses a scope that it does not know', () => {
    const strange = { scope: 'planet' as Scope, target: 'earth' };
    expect(() => switchMatches(strange, subjectOf())).toThrow(/scope 'planet' is none of global/);
  });
});

describe('critical capabilities', () => {
  const who = subjectOf({ capability: 'read/crm' });

  it('pass halt_noncritical and nothing harder', () => {
    expect(modeStops('halt_noncritical', who, ['read/*'])).toBe(false);
    expect(modeStops('halt_all', who, ['read/*'])).toBe(true);
    expect(modeStops('emergency', who, ['read/*'])).toBe(true);
  });

  it('are the operator’s list only: without one nothing passes', () => {
    expect(modeStops('halt_noncritical', who, [])).toBe(true);
  });

  it('do not let a run as a whole pass', () => {
    expect(modeStops('halt_noncritical', subjectOf(), ['read/*'])).toBe(true);
  });

  it('are stopped by a harder stop beside the mild one', () => {
    const both = indexed([engagement('mild', 'global', '*', 'halt_noncritical'), engagement('hard', 'agent', 'a1')]);
    expect(decide(both, who, { critical: ['read/*'], drains: new Map() }).kind).toBe('halt');
  });
});

describe('critical task classes', () => {
  it('pass halt_noncritical with everything that the task does, and nothing harder', () => {
    const who = subjectOf({ critical: true, capability: 'write/mail' });
    expect(modeStops('halt_noncritical', who, [])).toBe(false);
    expect(modeStops('halt_noncritical', { ...who, capability: null }, [])).toBe(false);
    expect(modeStops('halt_all', who, [])).toBe(true);
    expect(modeStops('emergency', who, [])).toBe(true);
  });
});

describe('a drain', () => {
  const DRAIN = engagementOf(stopFlip('d', { scope: 'tenant', target: 'acme', queue: 'drain', drainMs: 1_000 }));
  const grounds: Grounds = { critical: [], drains: new Map([['d', 5]]) };
  const admitted = subjectOf({ admittedRevision: 4 });

  function kind(open: readonly Engagement[], who: Subject, how: Grounds = grounds): string {
    return decide(indexed(open), who, how).kind;
  }

  it('passes what was let in before it, and nothing that was let in since, or by no queue', () => {
    expect(kind([DRAIN], admitted)).toBe('pass');
    expect(kind([DRAIN], { ...admitted, admittedRevision: 5 })).toBe('halt');
    expect(kind([DRAIN], { ...admitted, admittedRevision: null })).toBe('halt');
    expect(kind([DRAIN], subjectOf())).toBe('halt');
  });

  it('passes nothing once it is over, or while its place is not known', () => {
    expect(kind([DRAIN], admitted, { critical: [], drains: new Map() })).toBe('halt');
  });

  it('hides no other stop, not even one in its own mode', () => {
    const other = engagement('o', 'agent', 'a1');
    expect(kind([DRAIN, other], admitted)).toBe('halt');
    const mild = engagement('m', 'agent', 'a1', 'halt_noncritical');
    const decision = decide(indexed([DRAIN, mild]), admitted, grounds);
    expect(decision.kind === 'halt' && decision.engagement.id).toBe('m');
  });

  it('in the mildest mode parks like every stop in that mode', () => {
    const mild = engagementOf(stopFlip('d', { mode: 'halt_noncritical', queue: 'drain', drainMs: 1_000 }));
    expect(queuePolicyOf(mild)).toBe('park');
    expect(queuePolicyOf(DRAIN)).toBe('drain');
    expect(kind([mild], admitted)).toBe('halt');
  });
});

describe('a capability pattern', () => {
  it.each([
    ['write/mail', 'write/mail', true],
    ['write/mail', 'write/mail/eu', false],
    ['write/*', 'write/mail', true],
    ['write/*', 'write/mail/eu', true],
    ['write/*', 'write', false],
    ['write/*', 'writes/mail', false],
    ['*', 'write', false],
    ['write', 'write/mail', false],
  ])('%s on %s: %s', (one, other, expected) => {
    expect(capabilityMatches(one, other)).toBe(expected);
  });
});

describe('the index of engagements', () => {
  it('finds what a scan by switchMatches finds, through any opening and closing', () => {
    const change = fc.record({ id: fc.nat(9), close: fc.boolean(), what: stop });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), subject, (changes, who) => {
        const index = new Engagements();
        const plain = new Map<string, Engagement>();
        for (const { id, close, what } of changes) {
          const key = `e${id}`;
          if (close) {
            expect(index.close(key)).toBe(plain.delete(key));
          } else {
            index.open(engagementOf(stopFlip(key, what)));
            if (!plain.has(key)) plain.set(key, engagementOf(stopFlip(key, what)));
          }
        }
        expect(index.size).toBe(plain.size);
        expect([...index.values()]).toEqual([...plain.values()]);
        const found = new Set<string>();
        index.visitMatching(who, ({ id }) => found.add(id));
        const expected = [...plain.values()].filter((one) => switchMatches(one, who)).map(({ id }) => id);
        expect([...found].toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 500 },
    );
  });
});
