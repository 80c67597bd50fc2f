import type { Prng } from './prng.ts';

/** A whole number from `min` to `max`, both included. */
export function wholeBetween(prng: Prng, min: number, max: number): number {
  return min + Math.floor(prng.uniform() * (max - min + 1));
}

/** Exponential with this mean: the gaps of a Poisson process. */
export function exponential(prng: Prng, mean: number): number {
  return -mean * Math.log(1 - prng.uniform());
}

/** Log-normal with this median; `sigma` is the deviation of its logarithm (Box-Muller). */
export function logNormal(prng: Prng, median: number, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - prng.uniform()));
  return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * prng.uniform()));
}

/** Pareto: at least `min`, with a tail that falls with the power `alpha`. */
export function pareto(prng: Prng, min: number, alpha: number): number {
  return min / (1 - prng.uniform()) ** (1 / alpha);
}

/** A way to draw an index with given weights. */
export type Draw = (prng: Prng) => number;

/** Draws an index in proportion to its weight; the weights are not negative, and one is positive. */
export function weighted(weights: readonly number[]): Draw {
  let total = 0;
  const sums = weights.map((weight) => (total += weight));
  return (prng) => firstAbove(sums, prng.uniform() * total);
}

/** Draws rank 0 to `count - 1` with weight 1 / (rank + 1)^exponent (Zipf). */
export function zipf(count: number, exponent: number): Draw {
  return weighted(Array.from({ length: count }, (_, rank) => 1 / (rank + 1) ** exponent));
}

function firstAbove(sums: readonly number[], point: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > point) high = middle;
    else low = middle + 1;
  }
  return low;
}
