import type { FlipRecord } from '../store/store.ts';

/** Answers that are remembered; of an older one the store is asked again, which answers the same. */
const KEPT = 10_000;

/** What the store answered for stops, so that one which is sent again costs it nothing. */
export class AnsweredStops {
  readonly #byId = new Map<string, FlipRecord>();

  add(id: string, record: FlipRecord): void {
    this.#byId.set(id, record);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > KEPT && oldest !== undefined) this.#byId.delete(oldest);
  }

  get(id: string): FlipRecord | undefined {
    return this.#byId.get(id);
  }
}
