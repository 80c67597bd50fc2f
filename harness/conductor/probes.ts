import { messageOf } from '../../src/errors.ts';
import { waitUntil } from '../environment/wait.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistorySink } from '../history/write.ts';
import { probesOf } from '../traffic/probe-runs.ts';
import type { Trace, TraceRun } from '../traffic/trace.ts';

/** A probe as it is to stand in the queue. */
export interface PlantedTask {
  readonly run: TraceRun;
  /** The revision under which it claims to have been let in: the last one before the stop. */
  readonly admittedRevision: number;
}

interface ProbesParts {
  readonly trace: Trace;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  /** Puts one task into the queue, behind the back of its admission; safe to try again. */
  readonly plant: (task: PlantedTask) => Promise<void>;
  readonly signal: AbortSignal;
}

/** While the store is away it is tried again for as long as this. */
const INSIST_MS = 5_000;
const AGAIN_MS = 50;

/** Plants the trace's probes behind each stop, without holding up the timeline: the next flip may be 5 ms away. */
export class Probes {
  readonly #parts: ProbesParts;
  readonly #planting = new Set<Promise<void>>();

  constructor(parts: ProbesParts) {
    this.#parts = parts;
  }

  /**
   * Begins to plant the probes of a stop that has just become durable.
   *
   * @param flip counts the flips and releases of the timeline from 1
   */
  plant(flip: number, revision: number): void {
    const planting = this.#plantAll(flip, revision).finally(() => this.#planting.delete(planting));
    this.#planting.add(planting);
  }

  /** Resolves once nothing is being planted any more; after a release it would prove nothing. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#planting);
  }

  async #plantAll(flip: number, revision: number): Promise<void> {
    for (const run of probesOf(this.#parts.trace, flip)) await this.#plantOne(flip, run, revision - 1);
  }

  /** Never rejects: a probe that could not be planted is missing from the history, which says why. */
  async #plantOne(flip: number, run: TraceRun, admittedRevision: number): Promise<void> {
    const { clock, history, plant, signal } = this.#parts;
    const t0 = clock.nowNs();
    let error: unknown = null;
    const isPlanted = async (): Promise<boolean> => {
      error = await plant({ run, admittedRevision }).then(
        () => null,
        (thrown: unknown) => thrown ?? 'no reason',
      );
      return error === null;
    };
    const done = await waitUntil(isPlanted, { boundMs: INSIST_MS, everyMs: AGAIN_MS, signal }).catch(() => null);
    if (done === null || signal.aborted) return; // the history may be closed already
    if (done) {
      history.append({ type: 'probe.planted', flip, run: run.run, task: run.run }, { t0, t1: clock.nowNs() });
    } else {
      history.append({ type: 'conductor.gaveUp', what: `probe ${run.run} of flip ${flip}`, missing: messageOf(error) });
    }
  }
}
