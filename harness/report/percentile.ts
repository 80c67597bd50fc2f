import { nearestRank } from '../compare/nearest-rank.ts';

/** A percentile and how many samples it takes to say anything: about two of them have to lie beyond it. */
const CARRIED = [
  { name: 'median', share: 0.5, atLeast: 4 },
  { name: 'p90', share: 0.9, atLeast: 20 },
  { name: 'p99', share: 0.99, atLeast: 200 },
] as const;

/** `n 4 · median 12 ms · max 15 ms`: the percentiles that n carries (nearest rank), and n itself. */
export function summaryOf(samplesMs: readonly number[]): string {
  const n = samplesMs.length;
  if (n === 0) return 'n 0';
  const carried = CARRIED.filter(({ atLeast }) => n >= atLeast).map(
    ({ name, share }) => `${name} ${ms(nearestRank(samplesMs, share))}`,
  );
  return [`n ${n}`, ...carried, `max ${ms(nearestRank(samplesMs, 1))}`].join(' · ');
}

/** A time for a reader: a decimal below 10 ms, none above; a dash when it is not known. */
export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
