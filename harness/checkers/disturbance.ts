import { silencesFleet } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, overlaps } from './span.ts';
import type { Span } from './span.ts';

/** A store younger than this gives no lease (DESIGN §3.6). */
const STORE_AGE_MS = 600;
/** Reconnecting, a full load, and the first runs after it. */
const SLACK_MS = 500;

/**
 * Declared unverified windows: stretches in which a part of the fleet cannot be asked to let effects through. Each begins
 * with the fault itself (without a store no intent is admitted, so effects end before the lease does) and lasts until a
 * lease, the store's probation and half a second after the recovery.
 */
export class Disturbance {
  readonly #fleet: readonly Span[];
  readonly #byWorker: ReadonlyMap<string, readonly Span[]>;

  constructor(index: DrillIndex) {
    const tailNs = (STORE_AGE_MS + index.scenario.fleet.leaseMs + SLACK_MS) * NS_PER_MS;
    const widen = (fault: FaultWindow): Span => ({ fromNs: fault.fromNs, toNs: fault.toNs + tailNs });
    this.#fleet = index.faults.filter(silencesFleet).map(widen);
    this.#byWorker = new Map(
      index.workers.map((worker) => [worker, index.faults.filter((fault) => fault.target === worker).map(widen)]),
    );
  }

  ofFleet(span: Span): boolean {
    return this.#fleet.some((window) => overlaps(window, span));
  }

  /** By a fault of the worker's own. */
  ownOf(worker: string, span: Span): boolean {
    return (this.#byWorker.get(worker) ?? []).some((window) => overlaps(window, span));
  }

  ofWorker(worker: string, span: Span): boolean {
    return this.ofFleet(span) || this.ownOf(worker, span);
  }

  /** What is left of a stretch of a worker's once every window is taken out of it. */
  calmOf(worker: string, span: Span): readonly Span[] {
    const windows = [...this.#fleet, ...(this.#byWorker.get(worker) ?? [])];
    const calm: Span[] = [];
    let { fromNs } = span;
    for (const window of windows.toSorted((one, other) => one.fromNs - other.fromNs)) {
      if (window.fromNs > fromNs) calm.push({ fromNs, toNs: Math.min(window.fromNs, span.toNs) });
      fromNs = Math.max(fromNs, window.toNs);
    }
    calm.push({ fromNs, toNs: span.toNs });
    return calm.filter(({ fromNs: from, toNs }) => from < Math.min(toNs, span.toNs));
  }
}
