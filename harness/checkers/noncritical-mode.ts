import type { Finding } from './checker.ts';
import { countEffects } from './effects-after.ts';
import { openAt } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { isOpenAfter } from './engagements-of.ts';
import { expectedFlow } from './expected-flow.ts';
import { isFirst, missingWork, stopEvidence } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { covers, coversStep } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';
import { untreated } from './queue-ends.ts';
import { engagementOfStop, mayHalt, missingQueue, waitingAtStop } from './queue-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { budgetOf } from './regime.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { heldFromNs, isCriticalStep } from './stop-reach.ts';
import { switchMatches } from '../../src/switch.ts';
import { taskName } from './tasks-of.ts';
import { effectAgainst, effectName } from './witness-of.ts';

/** Fewer critical effects due than this say nothing about whether they flow. */
const ENOUGH_DUE = 10;
const LEAST_SHARE = 0.5;

/** `halt_noncritical`: both what goes on and what stops must be there to be seen. */
export function checkNoncritical(index: DrillIndex, stop: Stop): Finding {
  const broken = noncriticalWentOn(index, stop) ?? criticalCut(index, stop) ?? wrongInQueue(index, stop);
  if (broken !== null) return broken;
  const flow = criticalFlow(index, stop);
  const arrived = flow.filter(({ arrival }) => arrival !== null).length;
  const [missing] = flow.filter(({ arrival }) => arrival === null);
  const scope = nameOf(stop.on);
  const evidence = { ...stopEvidence(stop), criticalDue: flow.length, criticalArrived: arrived };
  if (missing !== undefined && flow.length >= ENOUGH_DUE && arrived < flow.length * LEAST_SHARE) {
    const { run, capability } = missing;
    const reason = `only ${arrived} of ${flow.length} effects of critical tasks due in scope of ${scope} arrived under halt_noncritical`;
    return fail(reason, { ...evidence, run: run.run, tenant: run.tenant, capability });
  }
  const kept = criticalOpen(index, stop).length;
  const unseen = missingQueue(index) ?? missingWork(index, stop);
  if (unseen !== null) return unseen;
  const parked = waitingAtStop(index, stop).length;
  // An open call that is let be says nothing of whether anything critical is admitted.
  if (flow.length < ENOUGH_DUE && (kept === 0 || (flow.length > 0 && arrived === 0)))
    return unexposed(index, stop, 'critical work in scope while the stop was on');
  if (parked === 0) return unexposed(index, stop, 'a task in scope that is not critical waiting at the stop');
  return pass(
    `under halt_noncritical of ${scope} ${arrived} of ${flow.length} effects due of critical tasks arrived, ${kept} open critical calls went on, and ${parked} waiting tasks were parked`,
    { ...evidence, criticalCallsKept: kept, parked },
  );
}

function unexposed(index: DrillIndex, stop: Stop, obligation: string): Finding {
  if (!isFirst(index, stop)) return notApplicable(`the later stop of ${nameOf(stop.on)} found no ${obligation}`);
  return inconclusive(obligation, `${nameOf(stop.on)} had none`, stopEvidence(stop));
}

function noncriticalWentOn(index: DrillIndex, stop: Stop): Finding | null {
  const [first] = countEffects(index, stop).afterBudget;
  if (first === undefined) return null;
  const reason = `${effectName(first)} is not critical and arrived under halt_noncritical of ${nameOf(stop.on)}`;
  return fail(reason, effectAgainst(first, stop));
}

/** Calls in scope that the operator declared critical and that were open when the stop came. */
function criticalOpen(index: DrillIndex, stop: Stop): readonly WitnessedEffect[] {
  return index.effects.filter(
    (effect) => covers(stop.on, effect) && heldFromNs(index, stop, effect) === null && openAt(effect, stop.requestNs),
  );
}

function criticalCut(index: DrillIndex, stop: Stop): Finding | null {
  const cut = criticalOpen(index, stop).find((effect) => {
    const { regime, boundaryNs } = budgetOf(index, stop, effect.worker);
    const [end] = effect.ends;
    if (regime !== 'connected' || end?.kind !== 'closed_by_worker' || end.t0 > boundaryNs) return false;
    return lives(index, effect) && !isHeldByAnother(index, stop, effect);
  });
  if (cut === undefined) return null;
  const after = Math.round(toMs((cut.ends[0]?.t0 ?? 0) - stop.requestNs));
  const reason = `${effectName(cut)} is critical and was closed by its worker ${after} ms after halt_noncritical of ${nameOf(stop.on)}`;
  return fail(reason, effectAgainst(cut, stop));
}

/** Whether another stop that was on when the call ended, and lets nothing critical pass, had it closed. */
function isHeldByAnother(index: DrillIndex, stop: Stop, effect: WitnessedEffect): boolean {
  const [end] = effect.ends;
  return index.stops.some((other) => {
    const fromNs = other.flip === stop.flip ? null : heldFromNs(index, other, effect);
    return fromNs !== null && end !== undefined && fromNs <= end.t1 && end.t0 <= (other.releaseNs ?? index.endNs);
  });
}

function lives(index: DrillIndex, { channel, ends }: WitnessedEffect): boolean {
  const exit = index.incarnations.get(channel)?.exit ?? null;
  return exit === null || exit.t0 > (ends[0]?.t1 ?? 0) + 250 * NS_PER_MS;
}

function criticalFlow(index: DrillIndex, stop: Stop): ReturnType<typeof expectedFlow> {
  const fromNs = stop.durableNs + index.scenario.expect.timeToStop.connectedMs * NS_PER_MS;
  const toNs = Math.min(stop.releaseNs ?? index.arrivalsEndNs, index.arrivalsEndNs);
  return expectedFlow(index, { fromNs, toNs }).filter(
    ({ run, step }) => coversStep(stop.on, run, step) && isCriticalStep(index, run, step),
  );
}

/** What is not critical is parked, never discarded; what is critical is left alone, unless another stop says otherwise. */
function wrongInQueue(index: DrillIndex, stop: Stop): Finding | null {
  const engagement = engagementOfStop(index, stop);
  if (engagement === null) return null;
  for (const task of index.tasks.values()) {
    if (!switchMatches(stop.on, task.subject)) continue;
    const change = task.changes.find(
      ({ to, afterRevision }) =>
        isOpenAfter(engagement, afterRevision) && (to === 'discarded' || (to === 'parked' && task.critical)),
    );
    if (change === undefined || mayBeAnothers(index, stop, { task, to: change.to })) continue;
    const what = task.critical ? 'is critical and' : 'is not critical and';
    const reason = `${taskName(task)} ${what} was ${change.to} under halt_noncritical of ${nameOf(stop.on)}`;
    return fail(reason, { ...stopEvidence(stop), ...changeEvidence(task, change, engagement) });
  }
  for (const queued of waitingAtStop(index, stop)) {
    const left = untreated(index, stop, queued);
    if (left !== null) return left;
  }
  return null;
}

function mayBeAnothers(
  index: DrillIndex,
  stop: Stop,
  { task, to }: { readonly task: Parameters<typeof mayHalt>[2]; readonly to: string },
): boolean {
  return index.engagements.some(
    (other) => other.id !== stop.id && (to === 'parked' || other.queue === 'discard') && mayHalt(index, other, task),
  );
}
