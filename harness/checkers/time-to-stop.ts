import type { WitnessedEffect } from './effects-of.ts';
import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { budgetOf } from './regime.ts';
import type { WorkerBudget } from './regime.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { heldFromNs } from './stop-reach.ts';

/** How a worker ended up under a stop. Nobody is dropped. */
export type StopState = 'stopped' | 'censored' | 'died' | 'not_exposed';

export interface WorkerStop extends WorkerBudget {
  readonly state: StopState;
  /**
   * Milliseconds from the request to the last in-scope arrival or end, by its upper bound; for `censored` and `died` the
   * time until the release (or the end) or the death, a lower bound. Null when not exposed.
   */
  readonly ms: number | null;
  /** The same by its lower bound: more than a budget means that the budget was missed for certain. */
  readonly atLeastMs: number | null;
}

/** The world sees a dead process's sockets close before the harness sees its exit. */
const DEATH_NOTICE_NS = 250 * NS_PER_MS;

interface Last {
  readonly t0: number;
  readonly t1: number;
  /** A call of it was still open when the stop ended. */
  readonly open: boolean;
}

/** Time to stop of every worker of the drill, in the order in which the drill names them. */
export function timeToStop(index: DrillIndex, stop: Stop): readonly WorkerStop[] {
  const untilNs = stop.releaseNs ?? index.endNs;
  return index.workers.map((worker) => {
    const budget = budgetOf(index, stop, worker);
    const exposed = index.effects.filter(
      (effect) => effect.worker === worker && isExposed(index, effect, stop, untilNs),
    );
    if (exposed.length === 0) return { ...budget, state: 'not_exposed', ms: null, atLeastMs: null };
    const last = lastOf(index, exposed, stop, untilNs);
    const deathNs = deathOf(index, exposed, stop, last);
    const since = (ns: number): number => Math.max(0, toMs(ns - stop.requestNs));
    if (deathNs !== null) return { ...budget, state: 'died', ms: since(deathNs), atLeastMs: since(deathNs) };
    return { ...budget, state: last.open ? 'censored' : 'stopped', ms: since(last.t1), atLeastMs: since(last.t0) };
  });
}

/** Forbidden by the stop, and open when it began to be or arriving while the stop was on: not what may have come after it. */
function isExposed(index: DrillIndex, effect: WitnessedEffect, stop: Stop, untilNs: number): boolean {
  const fromNs = heldFromNs(index, stop, effect);
  if (fromNs === null || fromNs >= untilNs || effect.t1 > untilNs) return false;
  const end = effect.ends[0];
  return effect.t0 >= fromNs || end === undefined || end.t1 > fromNs;
}

/** What a drain let pass is counted from the drain's end, as if the stop had been asked for then. */
function lastOf(index: DrillIndex, effects: readonly WitnessedEffect[], stop: Stop, untilNs: number): Last {
  let last: Last = { t0: 0, t1: 0, open: false };
  for (const effect of effects) {
    const end = effect.ends[0];
    const open = end === undefined || end.t0 >= untilNs;
    const seen = open ? { t0: untilNs, t1: untilNs } : end;
    const lateNs = (heldFromNs(index, stop, effect) ?? stop.requestNs) - stop.requestNs;
    last = {
      t0: Math.max(last.t0, Math.max(effect.t0, seen.t0) - lateNs),
      t1: Math.max(last.t1, Math.min(Math.max(effect.t1, seen.t1), untilNs) - lateNs),
      open: last.open || open,
    };
  }
  return last;
}

/** When an incarnation that was exposed ended before it could be seen to have stopped by itself; null when none did. */
function deathOf(index: DrillIndex, exposed: readonly WitnessedEffect[], stop: Stop, last: Last): number | null {
  for (const channel of new Set(exposed.map((effect) => effect.channel))) {
    const exit = index.incarnations.get(channel)?.exit ?? null;
    if (exit !== null && exit.t1 >= stop.requestNs && exit.t0 <= last.t1 + DEATH_NOTICE_NS) return exit.t0;
  }
  return null;
}
