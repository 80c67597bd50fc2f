import type { Clock } from '../../clock.ts';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Addresses that are remembered; the one that was heard of longest ago is forgotten first, and begins anew. */
const REMEMBERED = 10_000;

/** So many requests a second by address, and so many at once after a pause. */
export class Allowance {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Whether one more is within the allowance; it counts if it is. */
  spend(address: string): boolean {
    const atMs = this.#clock.monotonicMs();
    const before = this.#buckets.get(address) ?? { tokens: this.#burst, atMs };
    const tokens = Math.min(this.#burst, before.tokens + ((atMs - before.atMs) / 1_000) * this.#perSecond);
    const isWithin = tokens >= 1;
    this.#buckets.delete(address);
    this.#buckets.set(address, { tokens: isWithin ? tokens - 1 : tokens, atMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > REMEMBERED && oldest !== undefined) this.#buckets.delete(oldest);
    return isWithin;
  }
}
