/** Order statistics of a sample; percentiles only where n carries them. */
export interface Summary {
  readonly n: number;
  readonly p50: number;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number;
}

/** At least this many values must lie above a percentile for it to be given. */
const TAIL = 10;

export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((one, other) => one - other);
  const n = sorted.length;
  const at = (share: number): number => sorted[Math.min(n - 1, Math.ceil(n * share) - 1)] ?? Number.NaN;
  const carried = (share: number): number | null => (n * (1 - share) >= TAIL ? at(share) : null);
  return { n, p50: at(0.5), p95: carried(0.95), p99: carried(0.99), max: at(1) };
}

export function median(values: readonly number[]): number {
  return summarise(values).p50;
}
