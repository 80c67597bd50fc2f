/** A witness that lags: so often, and for so long each time, its process looks at nothing. */
export interface Stalls {
  readonly everyMs: number;
  readonly forMs: number;
}

/** Carries out a drill while the process that witnesses it stalls; without stalls, as it is. */
export async function whileStalled<T>(stalls: Stalls | null, drill: () => Promise<T>): Promise<T> {
  if (stalls === null) return drill();
  // The loop itself is the subject, hence its own timer and not a `Clock`.
  const timer = setInterval(() => stall(stalls.forMs), stalls.everyMs);
  try {
    return await drill();
  } finally {
    clearInterval(timer);
  }
}

/** Sleeps with the thread: a busy loop would take the processor from the fleet too. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}
