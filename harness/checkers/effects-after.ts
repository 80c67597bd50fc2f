import { DRILL_TIMES } from '../drill/drill.ts';
import { callName, isJournaled } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { budgetOf, countedFrom } from './regime.ts';
import type { WorkerBudget } from './regime.ts';
import { NS_PER_MS } from './span.ts';
import { heldFromNs } from './stop-reach.ts';

/**
 * Where the arrivals lie that a stop forbids (DESIGN §4.2): in scope, not critical where that passes, and counted from the end
 * of the drain where one lets them pass. Arrivals after its release was asked for are in none of them.
 */
export interface EffectCounts {
  /** Arrived before the request for certain. */
  readonly before: number;
  /** Between the request and the end of the worker's budget. */
  readonly during: number;
  /** Later than the worker's budget for certain, suspended ones included. */
  readonly after: number;
  /** An interval that holds the request, the budget's end or the release's request: it may lie on either side. */
  readonly straddling: number;
  /** Later than the flip's durability for certain. */
  readonly afterFlip: readonly WitnessedEffect[];
  /** Later than the worker's budget for certain. */
  readonly afterBudget: readonly WitnessedEffect[];
  /** What workers that were suspended across the flip emitted of calls already started; in neither of the two lists above. */
  readonly suspended: readonly WitnessedEffect[];
  /** Too wide, with a boundary inside: with one of these a count cannot be trusted. */
  readonly wide: readonly WitnessedEffect[];
}

const WIDE_NS = DRILL_TIMES.wideIntervalMs * NS_PER_MS;

type Place = 'before' | 'during' | 'after' | 'straddling' | 'released';

export function countEffects(index: DrillIndex, stop: Stop): EffectCounts {
  const budgets = new Map(index.workers.map((worker) => [worker, budgetOf(index, stop, worker)]));
  const excuses = new SuspendedCalls(index, stop);
  const places = { before: 0, during: 0, after: 0, straddling: 0, released: 0 };
  const lists = { afterFlip: [], afterBudget: [], suspended: [], wide: [] } as Record<
    'afterFlip' | 'afterBudget' | 'suspended' | 'wide',
    WitnessedEffect[]
  >;
  for (const effect of index.effects) {
    const fromNs = heldFromNs(index, stop, effect);
    if (fromNs === null) continue;
    const budget = countedFrom(budgets.get(effect.worker) ?? budgetOf(index, stop, effect.worker), stop, fromNs);
    const place = placeOf(effect, stop, budget);
    places[place] += 1;
    if (isWideAcross(effect, [stop.requestNs, stop.durableNs, budget.boundaryNs, stop.releaseNs]))
      lists.wide.push(effect);
    const isAfterFlip = effect.t0 > Math.max(stop.durableNs, fromNs) && !mayBeReleased(effect, stop);
    if (place === 'released' || (place !== 'after' && !isAfterFlip)) continue;
    if (excuses.excuses(effect, budget)) lists.suspended.push(effect);
    else {
      if (isAfterFlip) lists.afterFlip.push(effect);
      if (place === 'after') lists.afterBudget.push(effect);
    }
  }
  const { before, during, after, straddling } = places;
  return { before, during, after, straddling, ...lists };
}

function placeOf(effect: WitnessedEffect, stop: Stop, { boundaryNs }: WorkerBudget): Place {
  const { t0, t1 } = effect;
  if (stop.releaseNs !== null && t0 >= stop.releaseNs) return 'released';
  if (t1 <= stop.requestNs) return 'before';
  if (mayBeReleased(effect, stop)) return 'straddling';
  if (t0 > boundaryNs) return 'after';
  return t0 >= stop.requestNs && t1 <= boundaryNs ? 'during' : 'straddling';
}

function mayBeReleased(effect: WitnessedEffect, stop: Stop): boolean {
  return stop.releaseNs !== null && effect.t1 > stop.releaseNs;
}

function isWideAcross(effect: WitnessedEffect, boundaries: readonly (number | null)[]): boolean {
  if (effect.t1 - effect.t0 <= WIDE_NS) return false;
  return boundaries.some((at) => at !== null && effect.t0 <= at && at <= effect.t1);
}

/**
 * What a worker that was suspended across the stop may still emit: one effect for each call already started, that is,
 * for each intent before the stop by the store's order that has not arrived yet, within its abort time after going on.
 * A call without a journal, and any of a fleet that keeps none, has no intent; its run may emit the one that it was in.
 */
class SuspendedCalls {
  readonly #index: DrillIndex;
  readonly #stop: Stop;
  #left: Map<string, number> | null = null;
  readonly #journalFree = new Set<string>();

  constructor(index: DrillIndex, stop: Stop) {
    this.#index = index;
    this.#stop = stop;
  }

  excuses(effect: WitnessedEffect, budget: WorkerBudget): boolean {
    if (budget.resumption === null) return false;
    if (effect.t0 < budget.resumption.fromNs || effect.t0 > budget.closeByNs) return false;
    if (!isJournaled(effect) || this.#index.scenario.fleet.levers !== null) {
      const call = `${effect.channel} ${effect.run.run}`;
      if (this.#journalFree.has(call)) return false;
      this.#journalFree.add(call);
      return true;
    }
    this.#left ??= this.#startedCalls();
    const call = `${effect.channel} ${callName({ ...effect, run: effect.run.run })}`;
    const left = this.#left.get(call) ?? 0;
    this.#left.set(call, left - 1);
    return left > 0;
  }

  /** Intents before the stop, less the arrivals before it, by channel and idempotency key. */
  #startedCalls(): Map<string, number> {
    const { incarnations, intents, effects } = this.#index;
    const channels = new Map([...incarnations.values()].map((life) => [life.incarnation, life.channel]));
    const left = new Map<string, number>();
    const add = (call: string, by: number): unknown => left.set(call, (left.get(call) ?? 0) + by);
    for (const intent of intents) {
      const channel = channels.get(intent.incarnation);
      if (channel !== undefined && intent.afterRevision < this.#stop.revision) add(`${channel} ${callName(intent)}`, 1);
    }
    for (const effect of effects) {
      if (effect.t0 <= this.#stop.durableNs)
        add(`${effect.channel} ${callName({ ...effect, run: effect.run.run })}`, -1);
    }
    return left;
  }
}
