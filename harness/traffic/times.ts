import { logNormal, pareto } from './distributions.ts';
import type { Times } from './mix.ts';
import type { Prng } from './prng.ts';

/** Draws a time, in whole milliseconds: they hide what the last digits of a logarithm may differ by between engines. */
export function drawTimeMs(prng: Prng, times: Times): number {
  const drawn =
    times.kind === 'pareto' ? pareto(prng, times.minMs, times.alpha) : logNormal(prng, times.medianMs, times.sigma);
  return clamp(Math.round(drawn), times);
}

/** The time that a part of all draws (0 to 1) does not exceed, as the distribution was stated. */
export function statedQuantileMs(times: Times, part: 0.5 | 0.9 | 0.99): number {
  const exact =
    times.kind === 'pareto'
      ? times.minMs / (1 - part) ** (1 / times.alpha)
      : times.medianMs * Math.exp(times.sigma * NORMAL_QUANTILES[part]);
  return clamp(Math.round(exact), times);
}

/** Quantiles of the standard normal distribution. */
const NORMAL_QUANTILES = { 0.5: 0, 0.9: 1.2816, 0.99: 2.3263 } as const;

function clamp(ms: number, { atLeastMs, atMostMs }: Times): number {
  return Math.min(atMostMs, Math.max(atLeastMs, ms));
}
