import { switchMatches } from '../../src/switch.ts';
import type { WitnessedEffect } from '../checkers/effects-of.ts';
import { callName } from '../checkers/effects-of.ts';
import { nameOf } from '../checkers/flips-of.ts';
import type { DrillFlip } from '../checkers/flips-of.ts';
import { indexOf, sinceT0 } from '../checkers/index-of.ts';
import type { DrillIndex } from '../checkers/index-of.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillRecord } from '../drill/drill.ts';
import { subjectOf } from '../traffic/in-scope.ts';
import { overlapOf } from './overlap.ts';
import type { Overlap } from './overlap.ts';

/** A drill and what was made of it. */
export interface Judged {
  readonly record: DrillRecord;
  readonly judgement: Pick<Judgement, 'flips'>;
}

/** When something of the timeline came. */
export interface Moment {
  /** Milliseconds since T0: a flip's request, or the beginning of a fault's injection. */
  readonly atMs: number;
  /** Effects that had arrived for certain: in scope of the flip, of all workers for a fault. */
  readonly effectsBefore: number;
}

export interface Moments {
  readonly what: 'stop' | 'release' | 'fault';
  /** A flip's switch, or the fault and its target. */
  readonly name: string;
  /** Null where it did not come. */
  readonly was: Moment | null;
  readonly is: Moment | null;
}

/** The longest time to stop of the workers that stopped, milliseconds; null when none did. */
export interface StopTimes {
  readonly name: string;
  readonly was: number | null;
  readonly is: number | null;
  /** Now over then; null where one of them is not known or zero. */
  readonly ratio: number | null;
}

/** The effects before the first flip of each drill. */
export interface EffectsInCommon extends Overlap {
  /**
   * What makes two effects the same: their run, channel (capability) and idempotency key. Of a fleet whose keys are new in
   * each run they never are, and then it is run and channel.
   */
  readonly by: 'run, channel and key' | 'run and channel';
  /** Of those in common, by the same worker: who takes a run is the fleet's own affair. */
  readonly bySameWorker: number;
}

/** How close a drill came to the one that it repeats. */
export interface Closeness {
  /** In the order of their first coming. */
  readonly moments: readonly Moments[];
  /** Runs that became due, by their ids, and those that were handed to a worker. */
  readonly runs: { readonly due: Overlap; readonly handed: Overlap };
  readonly effects: EffectsInCommon;
  readonly stops: readonly StopTimes[];
}

/** Sets a drill beside the one that it repeats. Pure: the same two give the same answer. */
export function closenessOf(was: Judged, is: Judged): Closeness {
  const [before, after] = [indexOf(was.record), indexOf(is.record)];
  const handed = ({ record }: Judged): readonly string[] =>
    record.events.flatMap((event) => (event.type === 'run.handed' ? [event.run] : []));
  const due = ({ due: runs }: DrillIndex): readonly string[] => runs.map(({ run }) => run.run);
  return {
    moments: momentsOf(before, after),
    runs: { due: overlapOf(due(before), due(after)), handed: overlapOf(handed(was), handed(is)) },
    effects: effectsInCommon(beforeFirstFlip(before), beforeFirstFlip(after)),
    stops: stopTimes(was.judgement, is.judgement),
  };
}

function momentsOf(before: DrillIndex, after: DrillIndex): readonly Moments[] {
  const flips = paired(before.flips, after.flips, ({ flip }) => flip).map(([was, is]): Moments => {
    const { kind, on } = was ?? is;
    return { what: kind, name: nameOf(on), was: ofFlip(before, was), is: ofFlip(after, is) };
  });
  const faults = paired(before.faults, after.faults, ({ fault }) => fault).map(([was, is]): Moments => {
    const { kind, target } = was ?? is;
    const at = (index: DrillIndex, fault: typeof was): Moment | null =>
      fault === null ? null : momentOf(index, fault.fromNs, index.effects);
    return { what: 'fault', name: `${kind} of ${target}`, was: at(before, was), is: at(after, is) };
  });
  const at = ({ was, is }: Moments): number => was?.atMs ?? is?.atMs ?? 0;
  return [...flips, ...faults].toSorted((one, other) => at(one) - at(other));
}

type Pair<T> = readonly [was: T, is: T | null] | readonly [was: null, is: T];

/** By the number that each has in its drill's timeline. */
function paired<T>(before: readonly T[], after: readonly T[], numberOf: (one: T) => number): readonly Pair<T>[] {
  const known = new Set(before.map(numberOf));
  const both = before.map((was): Pair<T> => {
    return [was, after.find((is) => numberOf(is) === numberOf(was)) ?? null];
  });
  const added = after.filter((is) => !known.has(numberOf(is))).map((is): Pair<T> => [null, is]);
  return [...both, ...added];
}

function ofFlip(index: DrillIndex, flip: DrillFlip | null): Moment | null {
  if (flip === null) return null;
  const inScope = index.effects.filter(({ run, capability }) => switchMatches(flip.on, subjectOf(run, capability)));
  return momentOf(index, flip.requestNs, inScope);
}

function momentOf(index: DrillIndex, ns: number, effects: readonly WitnessedEffect[]): Moment {
  return { atMs: sinceT0(index, ns), effectsBefore: effects.filter(({ t1 }) => t1 <= ns).length };
}

function beforeFirstFlip({ effects, flips }: DrillIndex): readonly WitnessedEffect[] {
  const firstNs = flips.reduce((first, { requestNs }) => Math.min(first, requestNs), Number.POSITIVE_INFINITY);
  return effects.filter(({ t1 }) => t1 <= firstNs);
}

function effectsInCommon(was: readonly WitnessedEffect[], is: readonly WitnessedEffect[]): EffectsInCommon {
  const byKey = ({ run: { run }, capability, key }: WitnessedEffect): string => callName({ run, capability, key });
  const byRun = ({ run: { run }, capability }: WitnessedEffect): string => `${run} ${capability}`;
  const overlapBy = (idOf: (effect: WitnessedEffect) => string): Overlap => overlapOf(was.map(idOf), is.map(idOf));
  const keyed = overlapBy(byKey);
  const loose = overlapBy(byRun);
  const isByKey = keyed.inCommon > 0 || loose.inCommon === 0;
  const idOf = isByKey ? byKey : byRun;
  const bySameWorker = overlapBy((effect) => `${effect.worker} ${idOf(effect)}`).inCommon;
  const by = isByKey ? 'run, channel and key' : 'run and channel';
  return { ...(isByKey ? keyed : loose), by, bySameWorker };
}

function stopTimes(was: Judged['judgement'], is: Judged['judgement']): readonly StopTimes[] {
  const stops = (judgement: Judged['judgement']) => judgement.flips.filter(({ kind }) => kind === 'stop');
  const nth = stops(was).map((stop, at) => [stop, stops(is)[at]] as const);
  return nth.map(([stop, again]): StopTimes => {
    const was = stop.timeToStop?.maxMs ?? null;
    const is = again?.timeToStop?.maxMs ?? null;
    const ratio = was === null || is === null || was === 0 ? null : is / was;
    return { name: stop.scope === 'global' ? 'global' : `${stop.scope}:${stop.target}`, was, is, ratio };
  });
}
