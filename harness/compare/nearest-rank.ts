/** The percentile of samples, by nearest rank: always a value that was measured, never one between two. `share` is 0.5 for a median. */
export function nearestRank(samples: readonly number[], share: number): number | null {
  return samples.toSorted((one, other) => one - other)[Math.max(1, Math.ceil(samples.length * share)) - 1] ?? null;
}
