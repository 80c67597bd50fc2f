/** Instants of the clean drill, milliseconds since its origin. */
export const AT = {
  traffic: 100,
  stop: 3_100,
  durable: 3_105,
  release: 9_100,
  released: 9_105,
  resume: 9_500,
  drain: 14_100,
  end: 14_600,
} as const;

/** The last revision that something at this instant comes after, by the clean drill's two flips. */
export function revisionAt(atMs: number): number {
  return atMs > AT.released ? 2 : atMs > AT.durable ? 1 : 0;
}

/** The store's clock is ahead of the harness's by this much: who compares them by mistake is far off. */
export const STORE_AHEAD_MS = 7_000_000;
