import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunContext } from '../../src/run-context.ts';
import type { StopFlip } from '../../src/switch.ts';
import { GateRig } from './gate-rig.ts';
import { refuses } from './oracle.ts';
import { counterexampleOf } from './planted-bug.ts';

/** A wording weaker than DESIGN §3.1. */
type LatchFlaw = 'none' | 'an unverified refusal latches' | 'the latch is not sticky';

const STOPS: readonly Partial<StopFlip>[] = [
  {},
  { scope: 'capability', target: 'write/*' },
  { scope: 'run', target: 'r2' },
];

type Action =
  | { readonly kind: 'ask' | 'release' | 'lease ends' | 'verified again' }
  | { readonly kind: 'stop'; readonly what: number };

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('ask' as const, 'release' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('lease ends' as const, 'verified again' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('stop' as const), what: fc.nat(2) }) },
  ),
  { maxLength: 25 },
);

function bend(flaw: LatchFlaw, context: RunContext): void {
  if (flaw === 'the latch is not sticky') context.latch = null;
  if (flaw === 'an unverified refusal latches') context.latch ??= context.unverified;
}

/** Asks as one run, and compares with: refused once by an operator's stop is refused for ever; otherwise the present decides. */
function model(flaw: LatchFlaw, numRuns: number): void {
  fc.assert(
    fc.property(actions, (steps) => {
      const rig = new GateRig();
      rig.gate.enter({ run: 'r1', agent: 'a1' }, (context) => {
        const check = rig.gate.bind('write/mail');
        const who = { ...context.subject, capability: 'write/mail' };
        let first: unknown = null;
        for (const step of [...steps, { kind: 'verified again' } as const, { kind: 'ask' } as const]) {
          if (step.kind === 'stop') rig.stop(STOPS[step.what] ?? {});
          else if (step.kind === 'release') rig.release(...rig.store.openIds().slice(0, 1), 'never-was');
          else if (step.kind === 'lease ends') rig.clock.block(rig.lease.leaseMs);
          else if (step.kind === 'verified again') rig.verify();
          if (step.kind !== 'ask') continue;
          const stopped = refuses(rig.store.openEngagements(), who);
          const verified = rig.lease.held();
          const refusal = check.refusal();
          if (first !== null) expect(refusal, 'a stopped run goes on').toBe(first);
          else if (stopped) expect(refusal?.kind, 'a stop that covers it').toBe('operator');
          else expect(refusal?.kind ?? null, 'nobody said stop').toBe(verified ? null : 'unverified');
          if (refusal?.kind === 'operator') first = refusal;
          bend(flaw, context);
        }
      });
    }),
    { numRuns },
  );
}

describe('the latch of a run, through stops, releases and lapses of the lease', () => {
  it('holds once an operator’s stop has refused it, and never for want of proof', () => {
    model('none', 1_000);
  });

  it.each<[LatchFlaw, RegExp]>([
    ['an unverified refusal latches', /nobody said stop/],
    ['the latch is not sticky', /a stopped run goes on/],
  ])('is found out where %s', async (flaw, symptom) => {
    expect(await counterexampleOf(() => model(flaw, 5_000))).toMatch(symptom);
  });
});
