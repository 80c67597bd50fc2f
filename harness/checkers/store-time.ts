import type { DrillIndex } from './index-of.ts';

/**
 * An instant of the drill by the store's clock, nanoseconds; null when no stop is known by both clocks. The clocks are never
 * compared: what is carried over is the time since the first stop, which each of them measures for itself.
 */
export function storeNsOf(index: DrillIndex, ns: number): number | null {
  for (const stop of index.stops) {
    const engagement = index.engagements.find(({ id }) => id === stop.id);
    if (engagement !== undefined) return engagement.atNs + (ns - stop.durableNs);
  }
  return null;
}
