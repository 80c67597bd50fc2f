import type { HeldStop } from './held-stop.ts';

/** The stops that are enforced now, by id. */
export class HeldStops {
  readonly #byId = new Map<string, HeldStop>();
  /** Ids of the early ones: few of many, and asked for with every poll. */
  readonly #early = new Set<string>();

  get(id: string): HeldStop | undefined {
    return this.#byId.get(id);
  }

  set(id: string, held: HeldStop): void {
    this.#byId.set(id, held);
    if (held.early) this.#early.add(id);
    else this.#early.delete(id);
  }

  delete(id: string): void {
    this.#byId.delete(id);
    this.#early.delete(id);
  }

  /** All of them. */
  all(): Iterable<readonly [id: string, held: HeldStop]> {
    return this.#byId.entries();
  }

  /** Those that the contiguous prefix does not hold. */
  early(): readonly (readonly [id: string, held: HeldStop])[] {
    return [...this.#early].flatMap((id) => {
      const held = this.#byId.get(id);
      return held === undefined ? [] : [[id, held]];
    });
  }

  /** A drain whose time is up stays so when the same stop comes by another path. */
  isDrainOver(id: string, text: string): boolean {
    const before = this.#byId.get(id);
    return before !== undefined && before.drainOver && before.text === text;
  }
}
