import type { FlipRecord, Head } from '../../store/store.ts';

/** Somebody who is told of every flip and release, at least once and in order. */
export interface FlipSink {
  /** For errors, and for its place among others. */
  readonly name: string;
  /**
   * Takes flips, in order; those of a failed call come again. `signal` fires when its time is up.
   *
   * A flip may come a second time, after a crash: `epoch` and `revision` tell.
   */
  take(flips: readonly FlipRecord[], signal: AbortSignal): Promise<void>;
}

/** Keeps how far a sink was told. */
export interface SinkPosition {
  /** Null for one that was told nothing yet. */
  read(): Promise<Head | null>;
  write(head: Head): Promise<void>;
}
