import { indexOf } from '../checkers/index-of.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillRecord } from '../drill/drill.ts';

/** One thing that a run measured, by all the samples that it has of it. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
}

/** One count that a stop is judged by. */
export interface Count {
  readonly name: string;
  readonly count: number;
}

/** What a run measured, for setting beside another run. */
export function figuresOf(record: DrillRecord, { flips }: Pick<Judgement, 'flips'>): readonly Figure[] {
  const workers = flips.flatMap(({ timeToStop }) => timeToStop?.workers ?? []);
  const regimes = ['connected', 'cut', 'suspended'] as const;
  const times = regimes.map((regime) => ({
    name: `time to stop, ${regime}`,
    unit: 'ms',
    samples: workers.flatMap((one) =>
      one.regime === regime && one.state === 'stopped' && one.ms !== null ? [one.ms] : [],
    ),
  }));
  const durable = (kind: 'stop' | 'release'): Figure => ({
    name: `${kind} until durable`,
    unit: 'ms',
    samples: flips.flatMap((flip) => (flip.kind === kind ? [flip.durableAt - flip.requestedAt] : [])),
  });
  const rate = { name: 'effects before the first stop', unit: '/s', samples: effectsBySecond(record) };
  return [...times, durable('stop'), durable('release'), rate];
}

/** Effects of each whole second from the beginning of traffic to the first stop, or to the end of arrivals. */
function effectsBySecond(record: DrillRecord): readonly number[] {
  const { effects, stops, trafficNs, arrivalsEndNs } = indexOf(record);
  const untilNs = stops[0]?.requestNs ?? arrivalsEndNs;
  const seconds = Math.max(0, Math.floor((untilNs - trafficNs) / 1e9));
  const counts = Array.from({ length: seconds }, () => 0);
  for (const { t0 } of effects) {
    const second = Math.floor((t0 - trafficNs) / 1e9);
    if (second >= 0 && second < seconds) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

/** What came after the stops of a run, over all of them. */
export function countsOf({ flips }: Pick<Judgement, 'flips'>): readonly Count[] {
  const sum = (of: (flip: Judgement['flips'][number]) => number | null): number =>
    flips.reduce((total, flip) => total + (of(flip) ?? 0), 0);
  return [
    { name: 'effects after the budget', count: sum(({ effectsAfterBudget }) => effectsAfterBudget) },
    { name: 'effects after it was durable', count: sum(({ effectsAfterFlip }) => effectsAfterFlip) },
    { name: 'intents after the stop', count: sum(({ intentsAfterStop }) => intentsAfterStop) },
    { name: 'workers still open at the end', count: sum((flip) => stillOpen(flip)) },
  ];
}

function stillOpen({ timeToStop }: Judgement['flips'][number]): number {
  return timeToStop?.workers.filter(({ state }) => state === 'censored').length ?? 0;
}
