import type { Prng } from '../traffic/prng.ts';
import { nearestRank } from './nearest-rank.ts';

/** Fewer samples than this say nothing about their own spread. */
export const LEAST_SAMPLES = 4;
const ROUNDS = 400;
const MOST_SAMPLES = 1_000;
const CHANCE = 0.95;

/**
 * The ratio of two medians that a run would show against itself: so far apart are, in 95 of 100 draws, the medians of two
 * sets that are drawn from its own samples, with replacement and as many as there are (bootstrap). 1.2 says that 20 % more
 * or less is noise. Null for too few samples, and where a median is zero.
 */
export function noiseFloor(samples: readonly number[], prng: Prng): number | null {
  if (samples.length < LEAST_SAMPLES) return null;
  const step = Math.ceil(samples.length / MOST_SAMPLES);
  const some = samples.filter((_, nth) => nth % step === 0);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [one, other] = [drawnMedian(some, prng), drawnMedian(some, prng)];
    if (!(one > 0) || !(other > 0)) return null;
    ratios.push(Math.max(one / other, other / one));
  }
  return nearestRank(ratios, CHANCE);
}

function drawnMedian(samples: readonly number[], prng: Prng): number {
  return medianOf(samples.map(() => samples[Math.floor(prng.uniform() * samples.length)] ?? 0));
}

/** The median as reports tell it; 0 of no samples. */
export function medianOf(samples: readonly number[]): number {
  return nearestRank(samples, 0.5) ?? 0;
}
