/** Ids that are remembered; a late copy of an older one is enforced until the store answers `closed`. */
const KEPT = 10_000;

/** Stops that have ended before our eyes; the oldest are forgotten first. */
export class EndedStops {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > KEPT && oldest !== undefined) this.#ids.delete(oldest);
  }
}
