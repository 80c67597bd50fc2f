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

/** A timer of Node's that should wait longer fires at once: longer waits are made of several. */
const LONGEST_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => {
    const stage = (restMs: number): NodeJS.Timeout =>
      restMs <= LONGEST_MS
        ? setTimeout(callback, restMs)
        : setTimeout(() => (timer = stage(restMs - LONGEST_MS)), LONGEST_MS);
    let timer = stage(delayMs);
    return () => clearTimeout(timer);
  },
};
