/** How values in a window are put together. */
export interface Fold {
  /** Of a window without values. */
  readonly empty: number;
  join(one: number, other: number): number;
}

export const SUM: Fold = { empty: 0, join: (one, other) => one + other };
export const HIGHEST: Fold = { empty: Number.NEGATIVE_INFINITY, join: Math.max };
export const LOWEST: Fold = { empty: Number.POSITIVE_INFINITY, join: Math.min };

/** Parts that a window is kept in. */
export const BUCKETS = 10;

/**
 * Values of the last `windowMs`, in eleven buckets of a tenth each, however many values come.
 *
 * It never forgets too early: whatever was added within the last `windowMs` counts, and nothing older than 1.1 times that
 * does. Time that goes back is taken as no time.
 */
export class SlidingWindow {
  readonly #fold: Fold;
  readonly #bucketMs: number;
  readonly #buckets: Float64Array;
  #latest = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number, fold: Fold) {
    this.#fold = fold;
    this.#bucketMs = windowMs / BUCKETS;
    this.#buckets = new Float64Array(BUCKETS + 1).fill(fold.empty);
  }

  add(nowMs: number, value: number): void {
    this.#moveTo(nowMs);
    const at = this.#slot(this.#latest);
    this.#buckets[at] = this.#fold.join(this.#buckets[at] ?? this.#fold.empty, value);
  }

  read(nowMs: number): number {
    this.#moveTo(nowMs);
    let folded = this.#fold.empty;
    for (const bucket of this.#buckets) folded = this.#fold.join(folded, bucket);
    return folded;
  }

  #moveTo(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket <= this.#latest) return;
    const size = this.#buckets.length;
    if (bucket - this.#latest >= size) this.#buckets.fill(this.#fold.empty);
    else
      for (let next = this.#latest + 1; next <= bucket; next += 1) this.#buckets[this.#slot(next)] = this.#fold.empty;
    this.#latest = bucket;
  }

  /** A clock's origin is arbitrary, and so is the sign of a bucket's number. */
  #slot(bucket: number): number {
    const size = this.#buckets.length;
    return ((bucket % size) + size) % size;
  }
}
