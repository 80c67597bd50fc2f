import type { Clock } from '../clock.ts';
import type { Outcome, OutcomeSink } from '../store/store.ts';

export interface OutcomeBufferLimits {
  /** Outcomes kept while the store is away; beyond it the oldest is dropped and counted. Default 10,000. */
  readonly maxKept: number;
  /** Outcomes in one write at most. Default 500. */
  readonly maxBatch: number;
  /** Pause after a failed write, milliseconds. Default 100. */
  readonly retryMs: number;
}

export const DEFAULT_OUTCOME_LIMITS: OutcomeBufferLimits = { maxKept: 10_000, maxBatch: 500, retryMs: 100 };

/**
 * Outcomes on their way to the journal. They are never judged by the fence: what happened, happened. While the store is
 * away they are kept, and sent again until they are stored; the store takes each (incarnation, seq) once.
 */
export class OutcomeBuffer {
  readonly #incarnation: string;
  readonly #sink: OutcomeSink;
  readonly #clock: Clock;
  readonly #limits: OutcomeBufferLimits;
  #kept: Outcome[] = [];
  #dropped = 0;
  #writing: Promise<boolean> | null = null;
  #cancelRetry: (() => void) | null = null;
  #closed = false;

  constructor(
    incarnation: string,
    sink: OutcomeSink,
    clock: Clock,
    limits: OutcomeBufferLimits = DEFAULT_OUTCOME_LIMITS,
  ) {
    this.#incarnation = incarnation;
    this.#sink = sink;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Outcomes that were lost because the store stayed away for too long; their intents stay open and count as unknown. */
  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#kept.length;
  }

  add(outcome: Outcome): void {
    this.#kept.push(outcome);
    if (this.#kept.length > this.#limits.maxKept) {
      this.#kept.shift();
      this.#dropped += 1;
    }
    if (this.#cancelRetry === null && !this.#closed) void this.#pump();
  }

  /** Writes what is kept, giving up after `withinMs`; returns whether nothing is left. */
  async flush(withinMs: number): Promise<boolean> {
    const untilMs = this.#clock.monotonicMs() + withinMs;
    let leftMs = withinMs;
    while (this.#kept.length > 0 && leftMs > 0) {
      const written = await this.#within(leftMs, this.#pump());
      leftMs = untilMs - this.#clock.monotonicMs();
      if (!written && leftMs > 0) await this.#within(Math.min(this.#limits.retryMs, leftMs), null);
      leftMs = untilMs - this.#clock.monotonicMs();
    }
    return this.#kept.length === 0;
  }

  /** Writes no more; what is kept stays kept. Call it before the sink goes away. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
  }

  /** Waits for a write, or for nothing, no longer than `ms`; false when the time ran out. */
  #within(ms: number, write: Promise<boolean> | null): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => resolve(false));
      void write?.then((written) => {
        cancel();
        resolve(written);
      });
    });
  }

  /** One write at a time; a failed one is tried again after a pause. */
  #pump(): Promise<boolean> {
    this.#writing ??= this.#write();
    return this.#writing;
  }

  async #write(): Promise<boolean> {
    await Promise.resolve();
    try {
      while (this.#kept.length > 0) await this.#writeOne();
      return true;
    } catch {
      this.#retryLater();
      return false;
    } finally {
      // In the tick of the last look at what is kept: an outcome that is added from now on starts a write of its own.
      this.#writing = null;
    }
  }

  async #writeOne(): Promise<void> {
    const batch = this.#kept.slice(0, this.#limits.maxBatch);
    await this.#sink.record(this.#incarnation, batch);
    const stored = new Set(batch);
    const before = this.#kept.length;
    this.#kept = this.#kept.filter((outcome) => !stored.has(outcome));
    // Those that overflowed while they were being written are not lost after all.
    this.#dropped -= batch.length - (before - this.#kept.length);
  }

  #retryLater(): void {
    this.#cancelRetry?.();
    if (this.#closed) return;
    this.#cancelRetry = this.#clock.after(this.#limits.retryMs, () => {
      this.#cancelRetry = null;
      void this.#pump();
    });
  }
}
