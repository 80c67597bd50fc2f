import type { PlanStep, TraceRun } from '../traffic/trace.ts';
import { Disturbance } from './disturbance.ts';
import { hasEnd } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { coversStep } from './in-scope.ts';
import type { DrillIndex, DueRun } from './index-of.ts';
import { NS_PER_MS, overlaps } from './span.ts';
import type { Span } from './span.ts';
import { isCriticalStep } from './stop-reach.ts';

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
 * out: they are there to be held. So is what follows where the plan does not say when.
 */
export function expectedFlow(index: DrillIndex, stretch: Span): readonly ExpectedEffect[] {
  const sources: Sources = { index, stretch, disturbance: new Disturbance(index) };
  const expected: ExpectedEffect[] = [];
  for (const due of index.due) {
    if (due.run.primed === true || due.atNs < stretch.fromNs || due.atNs >= stretch.toNs) continue;
    expected.push(...expectedOf(due, sources));
  }
  return expected;
}

interface Sources {
  readonly index: DrillIndex;
  readonly stretch: Span;
  readonly disturbance: Disturbance;
}

function expectedOf({ run, atNs }: DueRun, sources: Sources): readonly ExpectedEffect[] {
  const { index, stretch, disturbance } = sources;
  const expected: ExpectedEffect[] = [];
  let plannedNs = atNs + (run.startAfterMs ?? 0) * NS_PER_MS;
  for (const [step, planned] of run.plan.entries()) {
    const life = { fromNs: atNs, toNs: plannedNs + GRACE_NS };
    if (life.toNs > stretch.toNs || disturbance.ofFleet(life) || isStopped(index, run, step, life)) break;
    // A timer is a task of its own: what becomes of it says nothing of its run.
    const own = planned.kind === 'timer' ? later(life, planned.delayMs ?? 0) : life;
    if (own.toNs > stretch.toNs || disturbance.ofFleet(own) || isStopped(index, run, step, own)) continue;
    const found = index.byStep.get(`${run.run}/${step}`)?.[0];
    const arrival = found !== undefined && found.t0 <= stretch.toNs ? found : null;
    if (arrival !== null && disturbance.ofWorker(arrival.worker, own)) break;
    expected.push({ run, step, capability: planned.capability, arrival });
    const refused = (planned.refusals ?? 0) > 0;
    // What did not succeed may have ended its run, unless the plan says that it is tried again.
    if (arrival !== null && hasEnd(arrival, 'closed_by_worker')) break;
    if (arrival !== null && hasEnd(arrival, 'failed') && !refused) break;
    const tookNs = takesNs(index, run, step);
    if (tookNs === null || isChildStopped(index, planned, { fromNs: atNs, toNs: plannedNs + tookNs + GRACE_NS })) break;
    plannedNs += tookNs;
  }
  return expected;
}

function later({ fromNs, toNs }: Span, byMs: number): Span {
  return { fromNs, toNs: toNs + byMs * NS_PER_MS };
}

/** Attempts are claimed anew, and each waits for its place. */
const ATTEMPT_NS = 500 * NS_PER_MS;

/** How long a step keeps its run from the next one; null when the plan does not say. */
export function takesNs(index: DrillIndex, run: TraceRun, step: number): number | null {
  const planned = run.plan[step];
  if (planned === undefined) return null;
  if (planned.kind === 'webhook' || planned.kind === 'timer') return 0;
  const { serviceMs, delayMs = 0, refusals = 0 } = planned;
  const ownNs = serviceMs * (refusals + 1) * NS_PER_MS + refusals * (delayMs * NS_PER_MS + ATTEMPT_NS);
  if (planned.attached !== true) return ownNs;
  const child = planned.child === undefined ? undefined : index.runs.get(planned.child);
  if (child === undefined) return null;
  let totalNs = ownNs;
  for (const nth of child.plan.keys()) {
    const stepNs = takesNs(index, child, nth);
    if (stepNs === null) return null;
    totalNs += stepNs;
  }
  return totalNs;
}

/** Whether a stop reaches a child that its parent waits for: it takes the parent's claim with it. */
function isChildStopped(index: DrillIndex, { attached, child }: PlanStep, life: Span): boolean {
  const within = attached === true && child !== undefined ? index.runs.get(child) : undefined;
  if (within === undefined) return false;
  return within.plan.some(
    (planned, step) => isStopped(index, within, step, life) || isChildStopped(index, planned, life),
  );
}

/** Whether a stop covered the step while its run lived; what follows it is latched. A stop lasts until its release has reached the fleet. */
function isStopped(index: DrillIndex, run: TraceRun, step: number, life: Span): boolean {
  const propagationNs = index.scenario.expect.timeToStop.connectedMs * NS_PER_MS;
  return index.stops.some((stop) => {
    const toNs = (stop.releasedNs ?? index.endNs) + propagationNs;
    if (!overlaps(life, { fromNs: stop.requestNs, toNs }) || !coversStep(stop.on, run, step)) return false;
    // A critical capability alone does not help a run whose task is not let go.
    return stop.mode !== 'halt_noncritical' || !isCriticalStep(index, run, step);
  });
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
