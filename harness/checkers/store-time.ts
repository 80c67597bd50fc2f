import type { DrillIndex } from './index-of.ts';

/**
 * An instant of the drill by the store's clock, nanoseconds, at the earliest; null when no stop is known by both clocks. The
 * clocks are never compared: what is carried over is the time since the first stop, which each of them measures for itself.
 */
export function storeNsOf(index: DrillIndex, ns: number): number | null {
  return carriedOver(index, ns, 'durableNs');
}

/**
 * As `storeNsOf`, at the latest: the store took the first stop at some time between its request and its answer, which on a busy
 * machine are far apart.
 */
export function latestStoreNsOf(index: DrillIndex, ns: number): number | null {
  return carriedOver(index, ns, 'requestNs');
}

function carriedOver(index: DrillIndex, ns: number, from: 'durableNs' | 'requestNs'): number | null {
  for (const stop of index.stops) {
    const engagement = index.engagements.find(({ id }) => id === stop.id);
    if (engagement !== undefined) return engagement.atNs + (ns - stop[from]);
  }
  return null;
}
