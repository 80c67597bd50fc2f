import type { TraceRun } from '../traffic/trace.ts';

/** Whether an effect of a run is in scope of the flip that is asked about. */
export type InScope = (run: TraceRun, capability: string) => boolean;

/** The workers' arrivals in their order, for counting those in scope again and again. */
export class ArrivalLog {
  readonly #arrivals: { readonly run: TraceRun; readonly capability: string }[] = [];
  readonly #counts = new WeakMap<InScope, { looked: number; inScope: number }>();

  add(run: TraceRun, capability: string): void {
    this.#arrivals.push({ run, capability });
  }

  /** Arrivals in scope so far. The same function asked again looks only at what has arrived since. */
  count(inScope: InScope): number {
    const count = this.#counts.get(inScope) ?? { looked: 0, inScope: 0 };
    this.#counts.set(inScope, count);
    for (; count.looked < this.#arrivals.length; count.looked += 1) {
      const arrival = this.#arrivals[count.looked];
      if (arrival !== undefined && inScope(arrival.run, arrival.capability)) count.inScope += 1;
    }
    return count.inScope;
  }
}
