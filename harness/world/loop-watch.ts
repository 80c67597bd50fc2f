import type { DrillClock } from '../history/clock.ts';
import type { HistorySink } from '../history/write.ts';

/**
 * What is known about when the event loop last looked at its sockets. It is what makes a lower bound of an arrival
 * honest: a request may have waited in the kernel while this process was busy.
 */
export interface LoopWatch {
  /**
   * Clock reading taken before the last finished look at all sockets. Whatever a socket that was watched then hands over
   * later reached this machine after this instant. 0 before the first look.
   *
   * Why: the reading is taken in a timer's callback. After its timers libuv polls every watched descriptor (epoll, level
   * triggered) and runs the handlers of all that are readable; only then come immediates, and one of them moves the
   * reading here. So bytes that were there at the reading have been handled by now, and those handled later were not
   * there. Two timer ticks alone would prove nothing: Node may run a due timer twice without a poll between.
   * Exempt: a sender more than 2 MiB ahead of its reader, which libuv reads in instalments.
   */
  readonly lookedNs: number;
  /** The reading of the look that is under way; null between looks. */
  readonly lookingNs: number | null;
  /** Stops watching; `lookedNs` stays, still a lower bound. */
  close(): void;
}

export interface LoopWatchOptions {
  readonly clock: DrillClock;
  readonly history: HistorySink;
  /** Time between looks, milliseconds; 4 by default. The usual width of an arrival's interval. */
  readonly intervalMs?: number;
  /** A delay beyond the interval of more than this is recorded as `loop.lag`, milliseconds; 20 by default. */
  readonly lagMs?: number;
}

/** Starts to watch this process's event loop. It does not keep the process alive. */
export function startLoopWatch(options: LoopWatchOptions): LoopWatch {
  return new TickingWatch(options);
}

class TickingWatch implements LoopWatch {
  readonly #options: Required<LoopWatchOptions>;
  #lookedNs = 0;
  #lookingNs: number | null = null;
  #tickedNs: number;
  /** The loop itself is the subject, hence its own timers and not a `Clock`. */
  #timer: NodeJS.Timeout;
  #immediate: NodeJS.Immediate | null = null;

  constructor(options: LoopWatchOptions) {
    this.#options = { intervalMs: 4, lagMs: 20, ...options };
    this.#tickedNs = options.clock.nowNs();
    this.#timer = this.#schedule();
  }

  get lookedNs(): number {
    return this.#lookedNs;
  }

  get lookingNs(): number | null {
    return this.#lookingNs;
  }

  close(): void {
    clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    this.#lookingNs = null;
  }

  #schedule(): NodeJS.Timeout {
    const timer = setTimeout(() => this.#tick(), this.#options.intervalMs);
    return timer.unref();
  }

  #tick(): void {
    const now = this.#options.clock.nowNs();
    const lagMs = (now - this.#tickedNs) / 1e6 - this.#options.intervalMs;
    if (lagMs > this.#options.lagMs) {
      this.#options.history.append(
        { type: 'loop.lag', lagMs: Math.round(lagMs * 10) / 10 },
        { t0: this.#tickedNs, t1: now },
      );
    }
    this.#tickedNs = now;
    this.#lookingNs = now;
    this.#immediate = setImmediate(() => {
      this.#immediate = null;
      this.#lookingNs = null;
      this.#lookedNs = now;
      this.#timer = this.#schedule();
    });
  }
}
