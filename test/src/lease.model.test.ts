import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lease } from '../../src/lease.ts';
import type { Asked, LeaseTimings } from '../../src/lease.ts';
import type { Clock } from '../../src/clock.ts';
import { ManualClock } from './manual-clock.ts';
import { counterexampleOf } from './planted-bug.ts';

const TIMINGS: LeaseTimings = { leaseMs: 1_200, storeAgeMs: 600 };

type Action =
  | { readonly kind: 'ask' | 'answer of the store' | 'revoke' | 'store restarts' }
  | { readonly kind: 'answer'; readonly which: number }
  | { readonly kind: 'pass' | 'block'; readonly ms: number }
  | { readonly kind: 'wall jumps'; readonly ms: number };

const span = fc.oneof(fc.nat(50), fc.nat(1_500), fc.constantFrom(599, 600, 601, 1_199, 1_200));
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('ask' as const, 'answer of the store' as const) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat(5) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('pass' as const, 'block' as const), ms: span }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('revoke' as const, 'store restarts' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('wall jumps' as const), ms: fc.integer({ min: -2_000, max: 2_000 }) }),
    },
  ),
  { maxLength: 30 },
);

/** One question: when it left, whether the store had been up for long enough *then*, and what the store said when. */
interface Question {
  readonly asked: Asked;
  readonly upThenMs: number;
  readonly answer: { readonly ageMs: number } | null;
}

/** A process, its clock and a store that restarts; beside them the questions whose answers may be trusted. */
class LeaseWorld {
  readonly #clock = new ManualClock();
  readonly #lease: Lease;
  #storeStartMs: number;
  #questions: Question[] = [];
  #trusted: Question[] = [];

  constructor(make: (clock: Clock) => Lease) {
    this.#lease = make(this.#clock);
    this.#storeStartMs = this.#clock.monotonicMs() - 10_000;
  }

  act(action: Action): void {
    switch (action.kind) {
      case 'ask':
        this.#questions.push({ asked: this.#lease.asked(), upThenMs: this.#storeAgeMs, answer: null });
        return;
      case 'answer of the store':
        this.#questions = this.#questions.map((one) =>
          one.answer === null ? { ...one, answer: { ageMs: this.#storeAgeMs } } : one,
        );
        return;
      case 'answer':
        return this.#hear(action.which);
      case 'pass':
        return this.#clock.advance(action.ms);
      case 'block':
        return this.#clock.block(action.ms);
      case 'wall jumps':
        return this.#clock.jumpWall(action.ms);
      case 'revoke':
        this.#lease.revoke();
        this.#trusted = [];
        this.#questions = this.#questions.map((one) => ({
          ...one,
          upThenMs: one.asked.monotonicMs < this.#clock.monotonicMs() ? -1 : one.upThenMs,
        }));
        return;
      case 'store restarts':
        this.#storeStartMs = this.#clock.monotonicMs();
        return;
      default:
        throw new Error(`unknown action ${JSON.stringify(action satisfies never)}`);
    }
  }

  get #storeAgeMs(): number {
    return this.#clock.monotonicMs() - this.#storeStartMs;
  }

  #hear(which: number): void {
    const place = which % Math.max(1, this.#questions.length);
    const question = this.#questions[place];
    if (question === undefined || question.answer === null) return;
    this.#questions.splice(place, 1);
    const before = this.#lease.deadlineMs;
    this.#lease.renew(question.asked, question.answer);
    const after = this.#lease.deadlineMs;
    expect(before === null || (after !== null && after >= before), 'a renewal shortened the lease').toBe(true);
    if (question.upThenMs >= TIMINGS.storeAgeMs) this.#trusted.push(question);
  }

  /** No lease beyond what the oracle grants; and, where answers were prompt, none less. */
  check(): void {
    const held = this.#lease.held();
    const may = this.#granted();
    expect(held && !may, 'the registry is trusted without fresh proof').toBe(false);
  }

  #granted(): boolean {
    const youngest = this.#trusted.toSorted((a, b) => b.asked.monotonicMs - a.asked.monotonicMs)[0];
    if (youngest === undefined) return false;
    const sinceMs = this.#clock.monotonicMs() - youngest.asked.monotonicMs;
    const wallSinceMs = this.#clock.wallMs() - youngest.asked.wallMs;
    if (sinceMs >= TIMINGS.leaseMs) return false;
    if (Math.abs(wallSinceMs - sinceMs) <= TIMINGS.leaseMs / 2) return true;
    this.#trusted = [];
    return false;
  }

  /** Faults end: one prompt round trip to a store that has been up for long enough gives the whole lease. */
  recovers(): void {
    this.#clock.advance(TIMINGS.storeAgeMs);
    const asked = this.#lease.asked();
    this.#clock.advance(5);
    this.#lease.renew(asked, { ageMs: this.#storeAgeMs + 60_000 });
    expect(this.#lease.held(), 'no lease after a prompt answer').toBe(true);
    this.#clock.block(TIMINGS.leaseMs - 6);
    expect(this.#lease.held(), 'less than the whole lease').toBe(true);
    this.#clock.block(1);
    expect(this.#lease.held(), 'more than the lease').toBe(false);
  }
}

function model(make: (clock: Clock) => Lease, numRuns: number): void {
  fc.assert(
    fc.property(actions, (steps) => {
      const world = new LeaseWorld(make);
      for (const step of steps) {
        world.act(step);
        world.check();
      }
      world.recovers();
    }),
    { numRuns },
  );
}

/** The wordings weaker than DESIGN §3.6, each as a small change of the real lease. */
class FromReceipt extends Lease {
  override renew(asked: Asked, { ageMs }: { readonly ageMs: number }): boolean {
    const now = this.asked();
    return super.renew(now, { ageMs: ageMs - (now.monotonicMs - asked.monotonicMs) });
  }
}

class AnyStoreAge extends Lease {
  override renew(asked: Asked): boolean {
    return super.renew(asked, { ageMs: Number.POSITIVE_INFINITY });
  }
}

class AgeAtTheAnswer extends Lease {
  override renew(asked: Asked, { ageMs }: { readonly ageMs: number }): boolean {
    return super.renew(asked, { ageMs: ageMs + (this.asked().monotonicMs - asked.monotonicMs) });
  }
}

class EndedByATimer extends Lease {
  readonly #clock: Clock;
  #ticking = false;

  constructor(clock: Clock) {
    super(clock, TIMINGS);
    this.#clock = clock;
  }

  override renew(asked: Asked, answer: { readonly ageMs: number }): boolean {
    const renewed = super.renew(asked, answer);
    const deadlineMs = this.deadlineMs;
    if (renewed && deadlineMs !== null) {
      this.#ticking = true;
      this.#clock.after(Math.max(0, deadlineMs - this.#clock.monotonicMs()), () => {
        this.#ticking = false;
      });
    }
    return renewed;
  }

  override held(): boolean {
    return this.#ticking;
  }
}

class BlindToTheWall extends Lease {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super(clock, TIMINGS);
    this.#clock = clock;
  }

  override held(): boolean {
    return this.deadlineMs !== null && this.#clock.monotonicMs() < this.deadlineMs;
  }
}

/** Takes the last answer that came for the youngest. */
class ShortenedByLateAnswers extends Lease {
  #deadlineMs: number | null = null;

  override renew(asked: Asked, answer: { readonly ageMs: number }): boolean {
    const renewed = super.renew(asked, answer);
    if (renewed) this.#deadlineMs = asked.monotonicMs + TIMINGS.leaseMs;
    return renewed;
  }

  override revoke(): void {
    this.#deadlineMs = null;
    super.revoke();
  }

  override get deadlineMs(): number | null {
    return this.#deadlineMs;
  }
}

/** Revoked until any answer comes, also one to a question from before. */
class RevokedForAMoment extends Lease {
  #revoked = false;

  override revoke(): void {
    this.#revoked = true;
  }

  override renew(asked: Asked, answer: { readonly ageMs: number }): boolean {
    const renewed = super.renew(asked, answer);
    if (renewed) this.#revoked = false;
    return renewed;
  }

  override held(): boolean {
    return !this.#revoked && super.held();
  }
}

describe('the lease, through delays, blocked loops, clock jumps and restarts of the store', () => {
  it('is never trusted beyond fresh proof, never shortened by an answer, and comes back', () => {
    model((clock) => new Lease(clock, TIMINGS), 3_000);
  });

  it.each<[string, (clock: Clock) => Lease, RegExp]>([
    [
      'it is renewed from the time of receipt',
      (clock) => new FromReceipt(clock, TIMINGS),
      /without fresh proof|more than the lease/,
    ],
    ['a store just started gives freshness', (clock) => new AnyStoreAge(clock, TIMINGS), /without fresh proof/],
    ['the store’s age counts as of its answer', (clock) => new AgeAtTheAnswer(clock, TIMINGS), /without fresh proof/],
    [
      'a timer ends it, though the loop is blocked',
      (clock) => new EndedByATimer(clock),
      /without fresh proof|more than the lease/,
    ],
    ['a clock jump goes unseen', (clock) => new BlindToTheWall(clock), /without fresh proof/],
    ['a late answer shortens it', (clock) => new ShortenedByLateAnswers(clock, TIMINGS), /shortened the lease/],
    [
      'a question from before its revocation renews it',
      (clock) => new RevokedForAMoment(clock, TIMINGS),
      /without fresh proof/,
    ],
  ])('is found out where %s', async (_flaw, make, symptom) => {
    expect(await counterexampleOf(() => model(make, 20_000))).toMatch(symptom);
  });
});

describe('the lease', () => {
  function rig(): { readonly clock: ManualClock; readonly lease: Lease } {
    const clock = new ManualClock();
    return { clock, lease: new Lease(clock, TIMINGS) };
  }

  it('is not held before the first answer', () => {
    const { lease } = rig();
    expect(lease.held()).toBe(false);
    expect(lease.deadlineMs).toBeNull();
  });

  it.each([Number.NaN, -1, 0, 599, Number.NEGATIVE_INFINITY])('gets nothing from a store of the age %d', (ageMs) => {
    const { lease } = rig();
    expect(lease.renew(lease.asked(), { ageMs })).toBe(false);
    expect(lease.held()).toBe(false);
  });

  it('gets nothing from an answer with no age, or a question with no time', () => {
    const { lease } = rig();
    expect(lease.renew(lease.asked(), {} as { ageMs: number })).toBe(false);
    expect(lease.renew({ monotonicMs: Number.NaN, wallMs: 0 }, { ageMs: 5_000 })).toBe(false);
    expect(lease.held()).toBe(false);
  });

  it('counts from the sending, to the millisecond', () => {
    const { clock, lease } = rig();
    const asked = lease.asked();
    clock.block(500);
    expect(lease.renew(asked, { ageMs: 5_000 })).toBe(true);
    clock.block(699);
    expect(lease.held()).toBe(true);
    clock.block(1);
    expect(lease.held()).toBe(false);
  });

  it('takes the round trip off the store’s age', () => {
    const { clock, lease } = rig();
    const asked = lease.asked();
    clock.block(100);
    expect(lease.renew(asked, { ageMs: 699 })).toBe(false);
    expect(lease.renew(asked, { ageMs: 700 })).toBe(true);
  });

  it.each([601, -601])('ends when the wall clock jumps by %d ms, and stays so if it jumps back', (ms) => {
    const { clock, lease } = rig();
    lease.renew(lease.asked(), { ageMs: 5_000 });
    clock.jumpWall(ms);
    expect(lease.held()).toBe(false);
    clock.jumpWall(-ms);
    expect(lease.held()).toBe(false);
    lease.renew(lease.asked(), { ageMs: 5_000 });
    expect(lease.held()).toBe(true);
  });

  it('survives a jump of half a lease', () => {
    const { clock, lease } = rig();
    lease.renew(lease.asked(), { ageMs: 5_000 });
    clock.jumpWall(600);
    expect(lease.held()).toBe(true);
  });
});
