import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks `condition` again and again until it holds or `boundMs` have passed; returns whether it held.
 *
 * It keeps the process alive, which a wait at the end of a drill has to.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  { boundMs, everyMs = 10 }: { readonly boundMs: number; readonly everyMs?: number },
): Promise<boolean> {
  const deadlineMs = performance.now() + boundMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= deadlineMs) return false;
    await pause(everyMs);
  }
}
