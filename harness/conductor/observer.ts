import { systemClock } from '../../src/clock.ts';
import { EffectivenessWatch } from '../../src/control/effectiveness-watch.ts';
import type { StopState } from '../../src/control/effectiveness.ts';
import type { EffectivenessStore } from '../../src/store/effectiveness-port.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistorySink } from '../history/write.ts';

interface ObserverParts {
  readonly store: Pick<EffectivenessStore, 'stopFacts'>;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly signal: AbortSignal;
}

/** Pause between two looks. */
const LOOK_MS = 20;

/** Watches stops become effective as an operator would, and puts what it says into the history. */
export class Observer {
  readonly #parts: ObserverParts;

  constructor(parts: ObserverParts) {
    this.#parts = parts;
  }

  /** Resolves once the stop was called effective, or the time is up; the history has which. */
  async awaitEffective(flip: number, id: string, withinMs: number): Promise<void> {
    const { store, clock, history, signal } = this.#parts;
    const watch = new EffectivenessWatch({ store, clock: systemClock, pollMs: LOOK_MS });
    watch.sawDurable(id);
    let said = '';
    let fromNs = clock.nowNs();
    try {
      for await (const state of watch.watch(id, { withinMs, signal })) {
        const words = wordsOf(state);
        const t0 = fromNs;
        const t1 = clock.nowNs();
        if (words !== said) history.append({ type: 'stop.observed', flip, ...factsOf(state) }, { t0, t1 });
        said = words;
        fromNs = t1;
      }
    } catch (error) {
      signal.throwIfAborted();
      history.append({ type: 'conductor.gaveUp', what: `watching flip ${flip}`, missing: String(error) });
    }
  }
}

function factsOf({ state, workers, missing }: StopState) {
  const standings = workers.map((one) => ({ worker: one.worker, incarnation: one.incarnation, state: one.state }));
  return { state, workers: standings, missing };
}

/** Reasons count down in tenths of a second; what they are about says less often something new. */
function wordsOf({ state, workers }: StopState): string {
  return JSON.stringify([state, workers.map((one) => [one.incarnation, one.state])]);
}
