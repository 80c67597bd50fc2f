import { exponential } from './distributions.ts';
import { MIX } from './mix.ts';
import type { Prng } from './prng.ts';

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  /** Arrivals expected before this stretch, and in it, in units of the quiet rate times a millisecond. */
  readonly before: number;
  readonly rateFactor: number;
}

/**
 * When `count` runs arrive in [0, endMs): a Poisson process whose rate is three-fold in bursts, given that there are
 * `count` arrivals; these are then independent draws from the rate's shape, sorted. Whole milliseconds, ascending.
 */
export function drawArrivals(prng: Prng, count: number, endMs: number): readonly number[] {
  const stretches = drawStretches(prng.split('bursts'), endMs);
  const last = stretches.at(-1);
  const total = last === undefined ? 0 : last.before + weight(last);
  const moments = prng.split('moments');
  const arrivals = Array.from({ length: count }, () => momentAt(stretches, moments.uniform() * total));
  return arrivals.sort((one, other) => one - other);
}

/** Quiet and burst by turns; how long each lasts is exponential. */
function drawStretches(prng: Prng, endMs: number): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let fromMs = 0;
  let before = 0;
  for (let burst = false; fromMs < endMs; burst = !burst) {
    const meanMs = burst ? MIX.bursts.meanMs : MIX.bursts.meanGapMs;
    const toMs = Math.min(endMs, fromMs + Math.max(1, exponential(prng, meanMs)));
    const stretch = { fromMs, toMs, before, rateFactor: burst ? MIX.bursts.rateFactor : 1 };
    stretches.push(stretch);
    before += weight(stretch);
    fromMs = toMs;
  }
  return stretches;
}

function weight({ fromMs, toMs, rateFactor }: Stretch): number {
  return (toMs - fromMs) * rateFactor;
}

function momentAt(stretches: readonly Stretch[], point: number): number {
  let low = 0;
  let high = stretches.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((stretches[middle]?.before ?? 0) <= point) low = middle;
    else high = middle - 1;
  }
  const stretch = stretches[low];
  return stretch === undefined ? 0 : Math.floor(stretch.fromMs + (point - stretch.before) / stretch.rateFactor);
}
