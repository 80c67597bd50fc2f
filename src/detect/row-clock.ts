import type { Clock } from '../clock.ts';

/** Says the time of the latest row. Rows of several processes come a little out of order; it never goes back. */
export class RowClock implements Clock {
  #nowMs = 0;

  /** Milliseconds since the Unix epoch, by the clock of whoever made the rows. */
  reach(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  /** Nothing is due between rows. */
  after(): () => void {
    return () => undefined;
  }
}
