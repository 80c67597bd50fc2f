/** Who wants to know of a signal, so that any number of calls hangs on it by one listener. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `told` once when the signal fires; not if it has fired already. Returns what takes that back.
 *
 * A caller may hand one signal to a thousand calls: with a listener each Node warns of a leak, and `AbortSignal.any` leaves
 * something behind on a long-lived signal for every call.
 */
export function whenAborted(signal: AbortSignal, told: () => void): () => void {
  const own = (): void => told(); // the same function may be given twice
  const all = waiting.get(signal) ?? listen(signal);
  all.add(own);
  return () => {
    if (all.delete(own) && all.size === 0) leave(signal);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  waiting.set(signal, all);
  signal.addEventListener('abort', tell, { once: true });
  return all;
}

function leave(signal: AbortSignal): void {
  waiting.delete(signal);
  signal.removeEventListener('abort', tell);
}

function tell(this: AbortSignal): void {
  const all = waiting.get(this);
  waiting.delete(this);
  for (const told of [...(all ?? [])]) told();
}

/** A signal that fires with the first of several, and with its reason. */
export interface JoinedSignal {
  readonly signal: AbortSignal;
  /** Fires it for a reason of its own. */
  abort(reason: unknown): void;
  /** To be called when nobody listens any more: it then hangs on none of the others. */
  leave(): void;
}

/** Joins signals; null stands for none. */
export function joinSignals(...signals: readonly (AbortSignal | null)[]): JoinedSignal {
  const controller = new AbortController();
  const joined: (() => void)[] = [];
  for (const signal of signals) {
    if (signal === null) continue;
    if (signal.aborted) controller.abort(signal.reason);
    else joined.push(whenAborted(signal, () => controller.abort(signal.reason)));
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    leave: () => {
      for (const one of joined) one();
    },
  };
}
