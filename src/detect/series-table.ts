/** An entry and when something was last heard of it. */
interface Kept<T> {
  readonly value: T;
  heardMs: number;
}

/**
 * What a rule keeps of each of many keys: at most `max`, and nothing of a key that has been idle for `idleMs`. Keys stand
 * in the order in which they were last heard of, give or take `grainMs`, so that the oldest is found without a search.
 */
export class SeriesTable<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #max: number;
  readonly #idleMs: number;
  readonly #grainMs: number;
  readonly #dropped: (value: T) => void;
  #forgotten = 0;

  constructor(
    { max, idleMs, grainMs }: { readonly max: number; readonly idleMs: number; readonly grainMs: number },
    dropped: (value: T) => void,
  ) {
    this.#max = max;
    this.#idleMs = idleMs;
    this.#grainMs = grainMs;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keys that had to go while they were not idle, since there were more than `max`: what they had done is not counted any more. */
  get forgottenCount(): number {
    return this.#forgotten;
  }

  /** The entry of a key that is heard of now; made when there is none. */
  hear(key: string, nowMs: number, make: () => T): T {
    const there = this.#kept.get(key);
    if (there !== undefined && nowMs - there.heardMs <= this.#idleMs) {
      if (nowMs - there.heardMs < this.#grainMs) return there.value;
      this.#kept.delete(key);
      this.#kept.set(key, there);
      there.heardMs = nowMs;
      return there.value;
    }
    if (there !== undefined) this.#drop(key, there);
    this.dropIdle(nowMs, 2);
    this.#makeRoom();
    const value = make();
    this.#kept.set(key, { value, heardMs: nowMs });
    return value;
  }

  /** Drops idle keys, at most so many; two for each new one are enough that none stays for long while others come. */
  dropIdle(nowMs: number, atMost: number): void {
    let left = atMost;
    for (const [key, kept] of this.#kept) {
      if (left === 0 || nowMs - kept.heardMs <= this.#idleMs) return;
      this.#drop(key, kept);
      left -= 1;
    }
  }

  #makeRoom(): void {
    if (this.#kept.size < this.#max) return;
    for (const [key, kept] of this.#kept) {
      this.#drop(key, kept);
      this.#forgotten += 1;
      return;
    }
  }

  #drop(key: string, { value }: Kept<T>): void {
    this.#kept.delete(key);
    this.#dropped(value);
  }
}
