import { setTimeout as pause } from 'node:timers/promises';

const EVERY_MS = 25;

/** Looks again until nothing is missing any more. @throws Error with what is missing, after `withinMs`. */
export async function until(withinMs: number, missing: () => Promise<string | null>): Promise<void> {
  const byMs = performance.now() + withinMs;
  for (;;) {
    const what = await missing();
    if (what === null) return;
    if (performance.now() >= byMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(EVERY_MS);
  }
}
