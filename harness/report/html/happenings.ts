import { mayHitWorkers, thingOf } from '../../checkers/faults-of.ts';
import type { FaultWindow } from '../../checkers/faults-of.ts';
import { nameOf } from '../../checkers/flips-of.ts';
import type { DrillFlip } from '../../checkers/flips-of.ts';
import { sinceT0 } from '../../checkers/index-of.ts';
import type { DrillIndex } from '../../checkers/index-of.ts';

/** Something that was done to the fleet, with the stretch in which it was in force: milliseconds since T0. */
export interface Happening {
  readonly kind: 'stop' | 'release' | 'fault';
  readonly fromMs: number;
  /** The instant itself for a release, and for what nobody acknowledged. */
  readonly toMs: number;
  readonly text: string;
  /** The worker that it is done to; null for all of them. */
  readonly worker: string | null;
  /** Whether agents may feel it: what is done to an executor shows among the happenings only. */
  readonly isFelt: boolean;
}

/** Every flip that was asked for and every fault that was injected, in order of time. */
export function happeningsOf(index: DrillIndex): readonly Happening[] {
  const faults = index.faults.filter(({ missing }) => !missing.includes('fault.injected'));
  const all = [...index.flips.map((flip) => ofFlip(index, flip)), ...faults.map((fault) => ofFault(index, fault))];
  return all.toSorted((one, other) => one.fromMs - other.fromMs);
}

function ofFlip(index: DrillIndex, flip: DrillFlip): Happening {
  const { kind, on, mode, requestNs, durableNs, revision, answer } = flip;
  const stop = index.stops.find((one) => one.flip === flip.flip);
  const fromMs = sinceT0(index, requestNs);
  const toMs = stop === undefined ? fromMs : sinceT0(index, stop.releaseNs ?? index.endNs);
  const took = durableNs === null ? answerText(answer) : `durable ${tookText((durableNs - requestNs) / 1e6)} later`;
  const what = kind === 'stop' ? `stop of ${nameOf(on)} (${mode ?? ''})` : `release of ${nameOf(on)}`;
  const at = revision === null ? '' : `, revision ${revision}`;
  return { kind, fromMs, toMs, text: `${what}: ${took}${at}`, worker: null, isFelt: true };
}

function answerText(answer: DrillFlip['answer']): string {
  return answer === 'refused' ? 'refused' : 'never acknowledged';
}

function tookText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function ofFault(index: DrillIndex, fault: FaultWindow): Happening {
  const { kind, target, plane, fromNs, toNs, recovered } = fault;
  const thing = thingOf(fault);
  const where = plane === null ? target : `${target}, plane ${plane}`;
  const lasted = recovered ? `for ${((toNs - fromNs) / 1e9).toFixed(1)} s` : 'not recovered';
  const worker = thing === 'worker' ? target : null;
  const span = { fromMs: sinceT0(index, fromNs), toMs: sinceT0(index, toNs) };
  return { kind: 'fault', ...span, text: `${kind} of ${where}: ${lasted}`, worker, isFelt: mayHitWorkers(fault) };
}
