import type { Clock } from './clock.ts';

export interface LeaseTimings {
  /** How long a worker may trust its registry after it asked the store and was answered. Default 1,200 ms (DESIGN §10). */
  readonly leaseMs: number;
  /** H: a store younger than this, when asked, gives no lease. Default 600 ms (DESIGN §3.6). */
  readonly storeAgeMs: number;
}

export const DEFAULT_LEASE: LeaseTimings = { leaseMs: 1_200, storeAgeMs: 600 };

/** Readings of both clocks at the moment a question was sent; a lease counts from there, never from the answer. */
export interface Asked {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

type LeaseState =
  { readonly kind: 'none' } | { readonly kind: 'held'; readonly deadlineMs: number; readonly asked: Asked };

const NONE: LeaseState = { kind: 'none' };

/**
 * How long this process may go on without fresh proof that nobody said stop.
 *
 * Renewed by a round trip only. Timers do not run while the loop is blocked, so nothing here relies on one: the deadline
 * is compared with the clock inside each check.
 */
export class Lease {
  readonly #clock: Clock;
  readonly #timings: LeaseTimings;
  #state: LeaseState = NONE;
  /** Questions sent before this instant were answered by a store that we have learnt to distrust since. */
  #revokedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, timings: LeaseTimings = DEFAULT_LEASE) {
    this.#clock = clock;
    this.#timings = timings;
  }

  get leaseMs(): number {
    return this.#timings.leaseMs;
  }

  /** Call it at the moment a question leaves for the store, and give the result to `renew` with its answer. */
  asked(): Asked {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }

  /**
   * Renews from an answer; returns whether it counted.
   *
   * The store's age is as of its answer. At the moment of asking it was younger by at most the round trip, so the round
   * trip is taken off: freshness counts only if the store had been up for H when it was *asked*. An older question never
   * shortens what a younger one has earned, and one sent before `revoke` earns nothing.
   */
  renew(asked: Asked, answer: { readonly ageMs: number }): boolean {
    if (asked.monotonicMs < this.#revokedAtMs) return false;
    const roundTripMs = this.#clock.monotonicMs() - asked.monotonicMs;
    if (!(answer.ageMs - roundTripMs >= this.#timings.storeAgeMs)) return false;
    const deadlineMs = asked.monotonicMs + this.#timings.leaseMs;
    if (this.#state.kind === 'held' && this.#state.deadlineMs >= deadlineMs) return true;
    this.#state = { kind: 'held', deadlineMs, asked };
    return true;
  }

  /** Ends the lease at once; only a question sent from now on may renew it. */
  revoke(): void {
    this.#state = NONE;
    this.#revokedAtMs = this.#clock.monotonicMs();
  }

  /** Monotonic instant at which the lease ends; null without one. */
  get deadlineMs(): number | null {
    return this.#state.kind === 'held' ? this.#state.deadlineMs : null;
  }

  /**
   * Whether the registry may be trusted right now. Also false, until the next renewal, once wall and monotonic clocks
   * have drifted apart by more than half a lease: the machine slept, or somebody set its clock.
   */
  held(): boolean {
    const state = this.#state;
    if (state.kind === 'none') return false;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= state.deadlineMs) return false;
    const driftMs = this.#clock.wallMs() - state.asked.wallMs - (nowMs - state.asked.monotonicMs);
    if (Math.abs(driftMs) <= this.#timings.leaseMs / 2) return true;
    this.#state = NONE;
    return false;
  }
}
