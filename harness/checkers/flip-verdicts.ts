import { countEffects } from './effects-after.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import type { DrillFlip, Stop } from './flips-of.ts';
import { intentsAfterStop } from './intents-of.ts';
import { queueSnapshots } from './queue-snapshot.ts';
import { timeToStop } from './time-to-stop.ts';
import type { EffectTally, FlipVerdict, TimeToStop } from './verdict-file.ts';
import { journalWasRead } from './witness-of.ts';

/** Every acknowledged flip with what was measured under it, by revision. */
export function flipVerdicts(index: DrillIndex): readonly FlipVerdict[] {
  const verdicts = index.flips.flatMap((flip) => flipVerdict(index, flip) ?? []);
  return verdicts.toSorted((one, other) => one.revision - other.revision);
}

function flipVerdict(index: DrillIndex, flip: DrillFlip): FlipVerdict | null {
  const { revision, durableNs, kind, mode } = flip;
  if (revision === null || durableNs === null) return null;
  const { scope, target } = flip.on;
  const facts = {
    revision,
    kind,
    scope,
    target,
    mode,
    requestedAt: sinceT0(index, flip.requestNs),
    durableAt: sinceT0(index, durableNs),
  };
  const stop = index.stops.find((acknowledged) => acknowledged.flip === flip.flip);
  return { ...facts, ...(stop === undefined ? UNMEASURED : measured(index, stop)) };
}

type Measures = Pick<
  FlipVerdict,
  'timeToStop' | 'effectsAfterFlip' | 'effectsAfterBudget' | 'suspendedEffects' | 'intentsAfterStop' | 'queue'
>;

const UNMEASURED: Measures = {
  timeToStop: null,
  effectsAfterFlip: null,
  effectsAfterBudget: null,
  suspendedEffects: null,
  intentsAfterStop: null,
  queue: null,
};

function measured(index: DrillIndex, stop: Stop): Measures {
  const { afterFlip, afterBudget, suspended } = countEffects(index, stop);
  return {
    timeToStop: summary(index, stop),
    effectsAfterFlip: afterFlip.length,
    effectsAfterBudget: afterBudget.length,
    suspendedEffects: suspended.length,
    intentsAfterStop: journalWasRead(index) ? intentsAfterStop(index, stop).length : null,
    queue: queueSnapshots(index, stop),
  };
}

function summary(index: DrillIndex, stop: Stop): TimeToStop {
  const workers = timeToStop(index, stop).map(({ worker, state, ms, regime }) => ({ worker, state, ms, regime }));
  const stopped = workers.flatMap(({ state, ms }) => (state === 'stopped' && ms !== null ? [ms] : []));
  return { workers, maxMs: stopped.length === 0 ? null : Math.max(...stopped), n: stopped.length };
}

/** In-scope arrivals around each stop, by revision. */
export function effectTallies(index: DrillIndex): readonly EffectTally[] {
  return index.stops.map((stop) => {
    const { before, during, after, straddling } = countEffects(index, stop);
    return { revision: stop.revision, before, during, after, straddling };
  });
}
