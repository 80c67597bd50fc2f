import fc from 'fast-check';
import type { NewTask } from '../../../src/store/store.ts';
import type { StopFlip } from '../../../src/switch.ts';

/** What may happen to a queue. `who` picks a claim that was handed out: 0 the newest. */
export type Action =
  | { readonly kind: 'enqueue'; readonly task: Partial<NewTask>; readonly dueInMs: number }
  | { readonly kind: 'claim' | 'sweep'; readonly limit: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'stop'; readonly stop: Pick<StopFlip, 'scope' | 'target' | 'mode' | 'queue' | 'drainMs'> }
  /** Of the open stops, this one. */
  | { readonly kind: 'release'; readonly which: number }
  | { readonly kind: 'resume'; readonly which: 'all' | 'unknown' }
  | { readonly kind: 'rules'; readonly on: boolean }
  | { readonly kind: 'everybody dies' }
  | { readonly kind: 'finish'; readonly who: number; readonly againInMs: number }
  | { readonly kind: 'retry'; readonly who: number; readonly delayMs: number }
  /** Stopped by this one of the stops that there ever were; none of them when there are not so many. */
  | { readonly kind: 'halted'; readonly who: number; readonly by: number }
  | { readonly kind: 'gives back'; readonly who: number }
  | { readonly kind: 'effect'; readonly who: number; readonly lands: boolean };

const kind = <Name extends string>(name: Name): fc.Arbitrary<Name> => fc.constant(name);
/** Mostly the newest claim. */
const who = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) });
const ms = fc.constantFrom(0, 0, 1, 400, 999, 1_000, 1_500);

const task = fc.record({
  tenant: fc.constantFrom('acme', 'b'),
  feature: fc.constantFrom('support', 'billing'),
  capability: fc.constantFrom(null, null, 'write/mail'),
  lineage: fc.constantFrom([], [], ['t0']),
  repeat: fc.constantFrom(null, null, 'every 60000'),
});

const scope = fc.constantFrom<Pick<StopFlip, 'scope' | 'target'>>(
  { scope: 'global', target: '*' },
  { scope: 'tenant', target: 'acme' },
  { scope: 'feature', target: 'billing' },
  { scope: 'run', target: 't0' },
  { scope: 'capability', target: 'write/mail' },
);
const policy = fc.oneof(
  fc.record({
    mode: fc.constantFrom('halt_noncritical' as const, 'halt_all' as const, 'emergency' as const),
    queue: fc.constantFrom('discard' as const, 'park' as const),
  }),
  fc.record({ mode: kind('halt_all'), queue: kind('drain'), drainMs: fc.constantFrom(1, 500, 5_000) }),
);
const stop = fc.tuple(scope, policy).map(([on, how]) => ({ ...on, ...how }));

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('enqueue'), task, dueInMs: ms }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('claim'), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('pass'), ms }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('stop'), stop }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('release'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('sweep'), limit: fc.constantFrom(1, 2, 100) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('finish'), who, againInMs: ms }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('retry'), who, delayMs: ms }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('halted'), who, by: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('gives back'), who }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('effect'), who, lands: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('resume'), which: fc.constantFrom('all', 'unknown') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('rules'), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('everybody dies') }) },
);

export const actions: fc.Arbitrary<readonly Action[]> = fc.array(action, { maxLength: 40, size: 'max' });
