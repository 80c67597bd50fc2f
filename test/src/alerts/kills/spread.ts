/** Of a few values, rounded. */
export interface Spread {
  readonly n: number;
  readonly median: number;
  readonly worst: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.map((value) => Math.round(value)).toSorted((one, other) => one - other);
  return { n: sorted.length, median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}
