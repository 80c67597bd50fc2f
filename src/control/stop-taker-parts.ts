import type { Clock } from '../clock.ts';
import type { Registry } from '../registry.ts';
import type { Spool } from '../store/spool.ts';
import type { StopOffer, StopStore } from '../store/stop-port.ts';
import type { FlipRecord } from '../store/store.ts';

/** What became of a stop by the time its taker answers. It is enforced in the taker's process in both cases. */
export type TakenStop =
  | { readonly kind: 'durable'; readonly id: string; readonly record: FlipRecord }
  /** Not in the record yet: it is sent again until it is. */
  | {
      readonly kind: 'provisional';
      readonly id: string;
      readonly why: string;
      /** Names of the other paths that took it. */
      readonly reached: readonly string[];
      /** The file that keeps it; null when it could not be written. */
      readonly keptAt: string | null;
    };

/** Another way for a stop to reach the fleet while the store is away. */
export interface StopPath {
  readonly name: string;
  /** Resolves once the path has it; takes the same stop any number of times. */
  push(stop: StopOffer): Promise<void>;
}

/** Bounds and pauses, milliseconds (DESIGN §10). */
export interface TakerTimings {
  /** A stop that the store has not answered for is on disk from then on. */
  readonly spoolAfterMs: number;
  /** The taker answers by then, durable or not; time for disk and paths comes on top, each bounded by `pathMs`. */
  readonly answerMs: number;
  /** Pause after the store did not answer. */
  readonly retryMs: number;
  /** Longest wait for the spool, and for each other path. */
  readonly pathMs: number;
  /** A stop that waits for so long may go to the store by the registry's feed too, which has more patience with one answer. */
  readonly relayAfterMs: number;
}

export const TAKER_TIMINGS: TakerTimings = {
  spoolAfterMs: 100,
  answerMs: 200,
  retryMs: 250,
  pathMs: 1_000,
  relayAfterMs: 2_000,
};

export interface StopTakerParts {
  readonly namespace: string;
  /** Of this process; a feed keeps it fresh, and relays what is offered to it. */
  readonly registry: Pick<Registry, 'arrive' | 'relayed' | 'offer'>;
  /** Every call of it is bounded by its own driver. */
  readonly store: StopStore;
  /** Null: a stop that is not durable is kept in memory only, and the answer says so. */
  readonly spool: Spool | null;
  readonly paths: readonly StopPath[];
  readonly clock: Clock;
  readonly timings?: Partial<TakerTimings>;
  readonly onError?: (error: Error) => void;
}

/** A stop that the store has not answered for. */
export interface WaitingStop extends StopOffer {
  readonly id: string;
  /** Enforced here because of this very text, and by nobody else's word. */
  readonly isOurs: boolean;
  /** When it was taken, by the monotonic clock. */
  readonly sinceMs: number;
}
