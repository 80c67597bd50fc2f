import type { DrillIndex } from './index-of.ts';
import { cutsRegistry, suspends } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import type { Stop } from './flips-of.ts';
import { NS_PER_MS, overlaps } from './span.ts';
import { isAskedLate } from './stop-paths.ts';
import type { Span } from './span.ts';

/** What a declared fault did to a worker around a stop. `suspended` wins over `cut`: a stopped process can do nothing at all. */
export type Regime = 'connected' | 'cut' | 'suspended';

/** What may be asked of one worker under one stop. */
export interface WorkerBudget {
  readonly worker: string;
  readonly regime: Regime;
  /** From the request, milliseconds. */
  readonly budgetMs: number;
  /** In-scope arrivals whose lower end is later than this are after the budget. */
  readonly boundaryNs: number;
  /** From when to when the worker went on after a suspension across the stop; null when there was none. */
  readonly resumption: Span | null;
  /** By when its open calls have to be closed: the boundary, or for a suspended worker the same time from its resumption. */
  readonly closeByNs: number;
}

/**
 * A worker is `cut` if a declared fault on its registry plane, or on the way of the alert that asks for the stop, overlaps the
 * time from a lease before the request to the end of the connected budget: one that begins later found a worker that should
 * have stopped already.
 */
export function budgetOf(index: DrillIndex, stop: Stop, worker: string): WorkerBudget {
  const { connectedMs, cutMs } = index.scenario.expect.timeToStop;
  const cutSpan = {
    fromNs: stop.requestNs - index.scenario.fleet.leaseMs * NS_PER_MS,
    toNs: stop.requestNs + connectedMs * NS_PER_MS,
  };
  const cut =
    index.faults.some((fault) => cutsRegistry(fault, worker) && overlaps(fault, cutSpan)) ||
    isAskedLate(index, stop, cutSpan);
  const budgetMs = cut ? cutMs : connectedMs;
  const boundaryNs = stop.requestNs + budgetMs * NS_PER_MS;
  const across = { fromNs: stop.requestNs, toNs: boundaryNs };
  const pauses = index.faults.filter((fault) => suspends(fault, worker) && overlaps(fault, across));
  const resumption = pauses.length === 0 ? null : resumptionOf(pauses);
  const regime = resumption !== null ? 'suspended' : cut ? 'cut' : 'connected';
  const closeByNs = resumption === null ? boundaryNs : Math.max(boundaryNs, resumption.toNs + budgetMs * NS_PER_MS);
  return { worker, regime, budgetMs, boundaryNs, resumption, closeByNs };
}

function resumptionOf(pauses: readonly FaultWindow[]): Span {
  return {
    fromNs: Math.min(...pauses.map((pause) => pause.recoveryNs)),
    toNs: Math.max(...pauses.map((pause) => pause.toNs)),
  };
}

/** The same budget counted from a later instant: work that a drain lets pass is stopped when the drain is over. */
export function countedFrom(budget: WorkerBudget, stop: Stop, fromNs: number): WorkerBudget {
  const shiftNs = fromNs - stop.requestNs;
  if (shiftNs <= 0) return budget;
  return { ...budget, boundaryNs: budget.boundaryNs + shiftNs, closeByNs: budget.closeByNs + shiftNs };
}
