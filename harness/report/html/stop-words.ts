import type { FlipVerdict, TimeToStop } from '../../checkers/verdict-file.ts';
import { ms } from '../percentile.ts';

/** A stop that was acknowledged, with what was measured under it. */
export interface MeasuredStop extends FlipVerdict {
  readonly timeToStop: TimeToStop;
}

export function stopName({ scope, target }: Pick<FlipVerdict, 'scope' | 'target'>): string {
  return scope === 'global' ? 'global' : `${scope}:${target}`;
}

/** The stops that were measured, the most telling first: those that leaked, that nobody saw the end of, the slowest. */
export function stopsByInterest(flips: readonly FlipVerdict[]): readonly MeasuredStop[] {
  const stops = flips.flatMap((flip) => (flip.timeToStop === null ? [] : [{ ...flip, timeToStop: flip.timeToStop }]));
  const rank = (stop: MeasuredStop): readonly number[] => [
    stop.effectsAfterBudget ?? 0,
    stop.intentsAfterStop ?? 0,
    stop.timeToStop.workers.filter(({ state }) => state === 'censored').length,
    stop.timeToStop.maxMs ?? -1,
    -stop.revision,
  ];
  return stops.toSorted((one, other) => {
    const [left, right] = [rank(one), rank(other)];
    const nth = left.findIndex((value, place) => value !== right[place]);
    return nth < 0 ? 0 : (right[nth] ?? 0) - (left[nth] ?? 0);
  });
}

type WorkerTime = TimeToStop['workers'][number];

/** A worker's time to stop in words; one that was cut short is a lower bound. */
export function timeText({ state, ms: took }: WorkerTime): string {
  if (state === 'not_exposed') return 'not exposed';
  if (state === 'stopped') return ms(took);
  return `> ${ms(took)}, ${state === 'censored' ? 'still open' : state}`;
}

/** Slowest first; those that were not exposed last. */
export function bySlowness(workers: readonly WorkerTime[]): readonly WorkerTime[] {
  const rank = ({ state, ms: took }: WorkerTime): number => (state === 'censored' ? Number.MAX_VALUE : (took ?? -1));
  return workers.toSorted((one, other) => rank(other) - rank(one));
}
