import type { Clock } from '../clock.ts';
import { reportTo } from '../report-to.ts';

interface RoundsParts {
  readonly clock: Clock;
  /** Pause after a round that failed; news does not cut it short. */
  readonly retryMs: number;
  /** Does what there is to do; bounded by its own means. */
  readonly round: () => Promise<void>;
  readonly onError: (error: Error) => void;
}

/** Does rounds of work one after another, one for as many pokes as came meanwhile, and again after a failure. */
export class Rounds {
  readonly #parts: RoundsParts;
  readonly #report: (error: unknown) => void;
  #wanted = false;
  #closed = false;
  #busy = false;
  #running: Promise<void> = Promise.resolve();
  #endPause: () => void = () => undefined;

  constructor(parts: RoundsParts) {
    this.#parts = parts;
    this.#report = reportTo(parts.onError);
  }

  /** There is work. */
  poke(): void {
    this.#wanted = true;
    if (this.#closed || this.#busy) return;
    this.#busy = true;
    this.#running = this.#run();
  }

  /** Starts no further round; resolves when the one under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endPause();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#closed) {
      this.#wanted = false;
      try {
        await this.#parts.round();
      } catch (thrown) {
        this.#report(thrown);
        this.#wanted = true;
        await this.#pause();
      }
    }
    // In the tick of the last look, so that no poke falls in between.
    this.#busy = false;
  }

  #pause(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(this.#parts.retryMs, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
