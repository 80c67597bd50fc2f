import { setTimeout as pause } from 'node:timers/promises';

/** Waits, at most until the signal fires. @throws the signal's reason when it does. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms <= 0) return;
  await pause(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/**
 * Asks `condition` again and again until it holds or `boundMs` have passed; returns whether it held.
 *
 * It keeps the process alive, which a wait at the end of a drill has to.
 *
 * @throws the reason of `signal`, when one is given and fires
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  {
    boundMs,
    everyMs = 10,
    signal,
  }: { readonly boundMs: number; readonly everyMs?: number; readonly signal?: AbortSignal },
): Promise<boolean> {
  const deadlineMs = performance.now() + boundMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= deadlineMs) return false;
    await (signal === undefined ? pause(everyMs) : sleep(everyMs, signal));
  }
}
