import type { Checker, Finding } from './checker.ts';
import { openAt } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { isFirst, noStop } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { budgetOf, countedFrom } from './regime.ts';
import type { WorkerBudget } from './regime.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { heldFromNs } from './stop-reach.ts';
import { missingTail } from './whole-history.ts';
import { effectAgainst, effectName } from './witness-of.ts';
import { livedThrough } from './workers-of.ts';

/** A call in flight ends because it was stopped, not because it was done. */
export const inFlightCancelled: Checker = {
  name: 'in_flight_cancelled',
  claim: 'Every worker closes its open calls in scope of a stop within its budget, as the world sees it.',
  check(record) {
    const index = indexOf(record);
    return noStop(index) ?? firstWorst(index.stops.map((stop) => checkStop(index, stop)));
  },
};

/** How many budgets the world must have been willing to go on holding a call, so that its end can't be the call's own. */
const HOLD_FACTOR = 3;

/** Primed runs are in scope of the first stop only; a later one is judged by what it finds held. */
function checkStop(index: DrillIndex, stop: Stop): Finding {
  const lasting: WitnessedEffect[] = [];
  const counted = new Set<string>();
  for (const effect of index.effects) {
    const fromNs = heldFromNs(index, stop, effect);
    if (fromNs === null || fromNs >= (stop.releaseNs ?? index.endNs) || !openAt(effect, fromNs)) continue;
    const budget = countedFrom(budgetOf(index, stop, effect.worker), stop, fromNs);
    if (diedAcross(index, effect, fromNs, budget) || !lasts(effect, fromNs, budget)) continue;
    const broken = mayYetClose(index, effect, budget) ?? uncancelled(effect, stop, budget);
    if (broken !== null) return broken;
    lasting.push(effect);
    counted.add(effect.worker);
  }
  const aimedAt = isFirst(index, stop);
  if (lasting.length === 0 && !aimedAt) return notApplicable('no call was held open at this stop');
  const expected = aimedAt ? expectedWorkers(index, stop, counted) : [...counted];
  const without = expected.filter((worker) => !counted.has(worker));
  const evidence = { flip: stop.flip, revision: stop.revision, held: lasting.length, workers: [...counted].toSorted() };
  if (without.length > 0 || expected.length === 0) {
    const who = expected.length === 0 ? 'no worker' : `all but ${without.join(', ')}`;
    const what = `a call in scope held for ${HOLD_FACTOR} budgets on every worker at the stop`;
    return inconclusive(what, `${who} held one`, { ...evidence, without });
  }
  return pass(
    `${lasting.length} held calls on ${counted.size} workers were closed by their workers within the budget`,
    evidence,
  );
}

/** A stopped run or agent is on one worker; any other stop finds its calls on every worker that lived and ran through the budget. */
function expectedWorkers(index: DrillIndex, stop: Stop, counted: ReadonlySet<string>): readonly string[] {
  if (stop.on.scope === 'run' || stop.on.scope === 'agent') return [...counted];
  const lives = [...index.incarnations.values()];
  return index.workers.filter((worker) => {
    const { regime, boundaryNs } = budgetOf(index, stop, worker);
    if (regime === 'suspended') return false;
    return lives.some((life) => life.worker === worker && livedThrough(life, stop.requestNs, boundaryNs));
  });
}

/** A dead process's sockets close too, but nobody cancelled anything. */
function diedAcross(index: DrillIndex, effect: WitnessedEffect, fromNs: number, budget: WorkerBudget): boolean {
  const exit = index.incarnations.get(effect.channel)?.exit ?? null;
  return exit !== null && exit.t1 >= fromNs && exit.t0 <= budget.closeByNs;
}

function lasts(effect: WitnessedEffect, fromNs: number, { budgetMs, resumption }: WorkerBudget): boolean {
  const serviceMs = effect.step === null ? 0 : (effect.run.plan[effect.step]?.serviceMs ?? 0);
  const heldUntilNs = effect.t0 + serviceMs * NS_PER_MS;
  return heldUntilNs - Math.max(fromNs, resumption?.toNs ?? fromNs) >= HOLD_FACTOR * budgetMs * NS_PER_MS;
}

/** A record that was cut before the budget was over says nothing of what was open then. */
function mayYetClose({ record, endNs }: DrillIndex, { ends }: WitnessedEffect, budget: WorkerBudget): Finding | null {
  return ends.length === 0 && endNs <= budget.closeByNs ? missingTail(record) : null;
}

/** What is wrong with how a held call ended; null when its worker closed it in time. What lands after that close is the downstream's doing. */
function uncancelled(effect: WitnessedEffect, stop: Stop, { budgetMs, closeByNs }: WorkerBudget): Finding | null {
  const [end] = effect.ends;
  const inTime = end !== undefined && end.kind === 'closed_by_worker' && end.t0 <= closeByNs;
  if (inTime) return null;
  const how =
    end === undefined
      ? 'was never closed'
      : `${WORDS[end.kind]} ${Math.round(toMs(end.t0 - stop.requestNs))} ms after the stop was requested`;
  return fail(
    `${effectName(effect)} was open at the stop of ${nameOf(stop.on)} and ${how}; the budget is ${budgetMs} ms`,
    {
      ...effectAgainst(effect, stop),
      end: end?.kind ?? 'open',
      endedAfterMs: end === undefined ? null : toMs(end.t0 - stop.requestNs),
      budgetMs,
    },
  );
}

const WORDS = {
  landed: 'landed',
  failed: 'was answered with a failure',
  closed_by_worker: 'was closed by its worker',
  closed_by_harness: 'was closed by the harness only,',
  replayed: 'was answered from an earlier landing',
} as const;
