import type { TraceRun } from '../traffic/trace.ts';
import { Disturbance } from './disturbance.ts';
import { hasEnd } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { coversStep } from './in-scope.ts';
import type { DrillIndex, DueRun } from './index-of.ts';
import { NS_PER_MS, overlaps } from './span.ts';
import type { Span } from './span.ts';

/** A planned effect that nothing excuses from arriving: not in scope of a stop, no fault in the way, its run still going. */
export interface ExpectedEffect {
  readonly run: TraceRun;
  readonly step: number;
  readonly capability: string;
  /** Its arrival in the stretch, or null: it is missing. */
  readonly arrival: WitnessedEffect | null;
}

/** How much later than by the plan an effect may arrive before it counts as missing. */
const GRACE_NS = 1500 * NS_PER_MS;

/**
 * The planned effects of runs that became due in the stretch and that should have arrived in it. Primed runs are left
 * out: they are there to be held.
 */
export function expectedFlow(index: DrillIndex, stretch: Span): readonly ExpectedEffect[] {
  const disturbance = new Disturbance(index);
  const arrivals = arrivalsByStep(index);
  const expected: ExpectedEffect[] = [];
  for (const due of index.due) {
    if (due.run.primed === true || due.atNs < stretch.fromNs || due.atNs >= stretch.toNs) continue;
    expected.push(...expectedOf(index, due, stretch, disturbance, arrivals));
  }
  return expected;
}

function expectedOf(
  index: DrillIndex,
  { run, atNs }: DueRun,
  stretch: Span,
  disturbance: Disturbance,
  arrivals: ReadonlyMap<string, WitnessedEffect>,
): readonly ExpectedEffect[] {
  const expected: ExpectedEffect[] = [];
  let plannedNs = atNs;
  for (const [step, { capability, serviceMs }] of run.plan.entries()) {
    const life = { fromNs: atNs, toNs: plannedNs + GRACE_NS };
    if (life.toNs > stretch.toNs || disturbance.ofFleet(life) || isStopped(index, run, step, life)) break;
    const found = arrivals.get(`${run.run} ${step}`);
    const arrival = found !== undefined && found.t0 <= stretch.toNs ? found : null;
    if (arrival !== null && disturbance.ofWorker(arrival.worker, life)) break;
    expected.push({ run, step, capability, arrival });
    // What did not succeed may have ended its run.
    if (arrival !== null && (hasEnd(arrival, 'failed') || hasEnd(arrival, 'closed_by_worker'))) break;
    plannedNs += serviceMs * NS_PER_MS;
  }
  return expected;
}

/** Whether a stop covered the step while its run lived; what follows it is latched. A stop lasts until its release has reached the fleet. */
function isStopped(index: DrillIndex, run: TraceRun, step: number, life: Span): boolean {
  const propagationNs = index.scenario.expect.timeToStop.connectedMs * NS_PER_MS;
  return index.stops.some((stop) => {
    const toNs = (stop.releasedNs ?? index.endNs) + propagationNs;
    return overlaps(life, { fromNs: stop.requestNs, toNs }) && coversStep(stop.on, run, step);
  });
}

function arrivalsByStep(index: DrillIndex): ReadonlyMap<string, WitnessedEffect> {
  const arrivals = new Map<string, WitnessedEffect>();
  for (const effect of index.effects) {
    const key = `${effect.run.run} ${effect.step}`;
    if (effect.step !== null && !arrivals.has(key)) arrivals.set(key, effect);
  }
  return arrivals;
}

export interface FlowShare {
  readonly group: string;
  readonly due: number;
  readonly arrived: number;
}

/** Due and arrived effects by group. */
export function sharesBy(
  flow: readonly ExpectedEffect[],
  groupOf: (effect: ExpectedEffect) => string,
): readonly FlowShare[] {
  const shares = new Map<string, { group: string; due: number; arrived: number }>();
  for (const effect of flow) {
    const group = groupOf(effect);
    const share = shares.get(group) ?? { group, due: 0, arrived: 0 };
    share.due += 1;
    if (effect.arrival !== null) share.arrived += 1;
    shares.set(group, share);
  }
  return [...shares.values()];
}
