import { setTimeout as timeout } from 'node:timers/promises';

/** Waits, at most until the signal fires. @throws the signal's reason when it does. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms <= 0) return;
  await timeout(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Asks again every `everyMs` until the answer is true; false when it was not within `boundMs`. */
export async function poll(
  ask: () => boolean | Promise<boolean>,
  { boundMs, everyMs, signal }: { readonly boundMs: number; readonly everyMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const until = performance.now() + boundMs;
  for (;;) {
    if (await ask()) return true;
    if (performance.now() >= until) return false;
    await sleep(everyMs, signal);
  }
}
