import type { Clock } from '../../src/clock.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistorySink } from '../history/write.ts';
import { beginsHeld } from '../traffic/held.ts';
import type { TraceRun } from '../traffic/trace.ts';

/** A worker that asks for work. Exactly one of its two callbacks is called, once, unless it is cancelled. */
export interface Asker {
  readonly worker: string;
  readonly take: (run: TraceRun) => void;
  /** There was nothing for it in time, or nothing comes any more. */
  readonly nothing: () => void;
}

export interface WorkQueueOptions {
  /** Those that arrive by themselves, in order of `dueMs`. */
  readonly runs: readonly TraceRun[];
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly timers: Pick<Clock, 'after'>;
  /** Whether a worker has a held call open. */
  readonly holds: (worker: string) => boolean;
}

/** How long an asker waits for a run. */
const POLL_MS = 2000;
/** The same once arrivals have ended: an asker that asks again at once must not spin. */
const ENDED_POLL_MS = 250;
/** How long a run that begins with a held call waits for a worker that holds none. */
const HELD_WAIT_MS = 300;

interface HeldRun {
  readonly run: TraceRun;
  /** From then on anybody may have it. */
  readonly anybodyNs: number;
}

/** The front door: runs become due by the trace, whatever the fleet does, and go to who asks first. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #askers = new Map<Asker, () => void>();
  readonly #ordinary: TraceRun[] = [];
  /** Runs that begin with a held call. */
  readonly #held: HeldRun[] = [];
  /** Those that were handed out and whose call has not arrived yet, with the worker that has them. */
  readonly #onTheWay = new Map<string, string>();
  #t0Ns: number | null = null;
  #next = 0;
  #loose = 0;
  #ended = false;
  #cancelDue: () => void = () => {};
  #cancelHeld: () => void = () => {};

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Runs that became due so far. */
  get due(): number {
    return this.#next + this.#loose;
  }

  /** Runs that are due and that nobody has. */
  get waiting(): number {
    return this.#ordinary.length + this.#held.length;
  }

  /** The trace's times count from `t0Ns`. */
  start(t0Ns: number): void {
    this.#t0Ns = t0Ns;
    this.#becomeDue();
  }

  /** These are due now, whatever their times say. */
  letLoose(runs: readonly TraceRun[]): void {
    const { clock, history } = this.#options;
    for (const run of runs) {
      const nowNs = clock.nowNs();
      history.append({ type: 'run.due', run: run.run }, { t0: nowNs, t1: nowNs });
      this.#ordinary.push(run);
    }
    this.#loose += runs.length;
    this.#match();
  }

  /** Nothing becomes due any more, and what is due is handed out no more. */
  end(): void {
    this.#ended = true;
    this.#cancelDue();
    this.#cancelHeld();
    for (const [asker, forget] of [...this.#askers]) {
      forget();
      asker.nothing();
    }
  }

  /** Waits for a run; the returned function takes the asker out again. */
  ask(asker: Asker): () => void {
    const cancelTimer = this.#options.timers.after(this.#ended ? ENDED_POLL_MS : POLL_MS, () => {
      this.#askers.delete(asker);
      asker.nothing();
    });
    const forget = (): void => {
      cancelTimer();
      this.#askers.delete(asker);
    };
    this.#askers.set(asker, forget);
    this.#match();
    return forget;
  }

  /** A run could not be handed to the one that it was given to: it is the next's, whoever that is. */
  giveBack(run: TraceRun): void {
    this.#onTheWay.delete(run.run);
    if (beginsHeld(run)) this.#held.unshift({ run, anybodyNs: 0 });
    else this.#ordinary.unshift(run);
    this.#match();
  }

  /** A run's call has arrived: whoever it was handed to, it is on the way no more. */
  arrived(run: string): void {
    this.#onTheWay.delete(run);
  }

  /** A worker's channel was closed: what was on the way to it does not count against its successor. */
  forgetWorker(worker: string): void {
    for (const [run, by] of this.#onTheWay) if (by === worker) this.#onTheWay.delete(run);
  }

  /** A worker may have become free for a run that begins with a held call. */
  heldEnded(): void {
    this.#match();
  }

  #becomeDue(): void {
    const { runs, clock, history } = this.#options;
    const t0Ns = this.#t0Ns;
    if (t0Ns === null || this.#ended) return;
    let nowNs = clock.nowNs();
    for (let run = runs[this.#next]; run !== undefined; run = runs[this.#next]) {
      const dueNs = t0Ns + run.dueMs * 1e6;
      nowNs = clock.nowNs();
      if (dueNs > nowNs) {
        this.#cancelDue = this.#options.timers.after(Math.ceil((dueNs - nowNs) / 1e6), () => this.#becomeDue());
        break;
      }
      this.#next += 1;
      history.append({ type: 'run.due', run: run.run }, { t0: dueNs, t1: nowNs });
      if (beginsHeld(run)) this.#held.push({ run, anybodyNs: nowNs + HELD_WAIT_MS * 1e6 });
      else this.#ordinary.push(run);
    }
    this.#match();
  }

  #match(): void {
    if (this.#ended) return;
    this.#cancelHeld();
    if (this.waiting === 0) return;
    const nowNs = this.#options.clock.nowNs();
    for (const [asker, forget] of [...this.#askers]) {
      const run = this.#runFor(asker.worker, nowNs);
      if (run === undefined) continue;
      if (beginsHeld(run)) this.#onTheWay.set(run.run, asker.worker);
      forget();
      asker.take(run);
    }
    const [first] = this.#held;
    if (first === undefined || this.#askers.size === 0) return;
    const waitMs = Math.max(1, Math.ceil((first.anybodyNs - nowNs) / 1e6));
    this.#cancelHeld = this.#options.timers.after(waitMs, () => this.#match());
  }

  #runFor(worker: string, nowNs: number): TraceRun | undefined {
    const free = this.#held.length > 0 && this.#isFree(worker);
    const held = this.#held.findIndex(({ anybodyNs }) => free || anybodyNs <= nowNs);
    if (held >= 0) return this.#held.splice(held, 1)[0]?.run;
    return this.#ordinary.shift();
  }

  #isFree(worker: string): boolean {
    for (const by of this.#onTheWay.values()) if (by === worker) return false;
    return !this.#options.holds(worker);
  }
}
