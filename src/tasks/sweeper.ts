import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import type { TaskQueue } from '../store/store.ts';
import { within } from '../within.ts';
import { reportTo } from '../report-to.ts';

export interface SweeperTimings {
  /** Tasks in one batch at most. Default 2,000. */
  readonly batch: number;
  /** How often the store is asked when nothing has changed, milliseconds. Default 1,000. */
  readonly pollMs: number;
  /** How long one batch may take before it is given up, milliseconds. Default 10,000. */
  readonly boundMs: number;
}

export const DEFAULT_SWEEPER: SweeperTimings = { batch: 2_000, pollMs: 1_000, boundMs: 10_000 };

interface SweeperParts {
  readonly tasks: Pick<TaskQueue, 'sweep'>;
  readonly clock: Clock;
  readonly timings?: SweeperTimings;
  /** Told of errors, for a log: a sweep is a row, and whoever comes next goes on with it. */
  readonly onError?: (error: Error) => void;
}

/**
 * Finishes sweeps: what a flip means for queued work is written down batch by batch, by whatever process comes first.
 *
 * One batch at a time; it runs beside everything else, and no gate and no flip ever waits for it.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #timings: SweeperTimings;
  #loop: Promise<void> | null = null;
  #closed = false;
  #wanted = false;
  #endPause: (() => void) | null = null;
  #swept = 0;
  readonly #report: (error: unknown) => void;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    this.#report = reportTo(parts.onError);
    this.#timings = parts.timings ?? DEFAULT_SWEEPER;
  }

  /** Tasks whose state this process has changed by sweeping. */
  get sweptCount(): number {
    return this.#swept;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** There may be a new sweep: looks at once, or right after the batch under way. */
  wake(): void {
    this.#wanted = true;
    this.#endPause?.();
  }

  /** Begins no batch any more and waits for the one under way, which `boundMs` limits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { pollMs } = this.#timings;
    while (!this.#closed) {
      this.#wanted = false;
      try {
        await this.#sweepAll();
        await this.#pause(pollMs);
      } catch (error) {
        this.#report(error);
        // News does not cut this pause short: a store that fails at once must not be asked in a busy loop.
        await this.#pause(pollMs, 'deaf');
      }
    }
  }

  async #sweepAll(): Promise<void> {
    const { tasks, clock } = this.#parts;
    const { batch, boundMs } = this.#timings;
    for (let more = true; more && !this.#closed;) {
      const answer = await within(clock, boundMs, tasks.sweep(batch), () => unanswered(boundMs));
      this.#swept += answer.swept;
      more = answer.more;
      // Between two batches everything else gets its turn, however fast the store is.
      if (more) await this.#pause(0, 'deaf');
    }
  }

  /** Waits for `ms`; news ends it early, unless it is deaf. Closing always does. */
  #pause(ms: number, ears: 'open' | 'deaf' = 'open'): Promise<void> {
    if (this.#closed || (ears === 'open' && this.#wanted)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#endPause = null;
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, end);
      this.#endPause = () => {
        if (ears === 'open' || this.#closed) end();
      };
    });
  }
}

function unanswered(boundMs: number): KilldrillError {
  return new KilldrillError(
    'SWEEP_UNANSWERED',
    `the store did not answer a sweep within ${boundMs} ms; it is tried again`,
  );
}
