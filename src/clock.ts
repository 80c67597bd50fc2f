/**
 * The only source of time in `src/`. Tests inject their own; nothing else reads a clock or sets a timer.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin of this process. Never goes back; may be fractional. */
  monotonicMs(): number;
  /** Wall-clock milliseconds since the Unix epoch. May jump. */
  wallMs(): number;
  /** Calls `callback` once after `delayMs`, and keeps the process alive until then; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
