import type { Clock } from '../clock.ts';
import type { Registry } from '../registry.ts';
import type { AlertBus, BusMessage } from './alert-bus.ts';
import type { AlertStore, AlertTrip, TripAnswer } from './alert-store.ts';
import type { AlertPolicy, Judgement } from './judge-alert.ts';

/** Bounds and pauses, milliseconds. */
export interface ExecutorTimings {
  /** A stop that may be stale is given to the store first; it is enforced here once this has passed without an answer. */
  readonly tripWithinMs: number;
  /** Pause after the store, or the bus, did not answer. */
  readonly retryMs: number;
  /** Longest wait for one answer of the store, or of the bus. */
  readonly callMs: number;
  /** Longest wait for joining; Kafka takes seconds for a group's first member. */
  readonly joinMs: number;
  /** A session without a sign of life for so long is ended, and joined anew. */
  readonly silentMs: number;
}

export const EXECUTOR_TIMINGS: ExecutorTimings = {
  tripWithinMs: 50,
  retryMs: 100,
  callMs: 5_000,
  joinMs: 10_000,
  silentMs: 3_000,
};

/** What happens to alerts, for milestones and metrics. */
export type AlertEvent =
  | { readonly kind: 'read'; readonly message: BusMessage; readonly judgement: Judgement }
  /** Enforced in this process, before the store had answered. */
  | { readonly kind: 'held'; readonly message: BusMessage; readonly trip: AlertTrip }
  | { readonly kind: 'answered'; readonly message: BusMessage; readonly trip: AlertTrip; readonly answer: TripAnswer }
  | { readonly kind: 'poison'; readonly message: BusMessage; readonly code: string; readonly why: string };

export interface ExecutorParts {
  readonly bus: AlertBus;
  readonly store: AlertStore;
  /** Of the process in which it runs; a feed keeps it fresh. */
  readonly registry: Pick<Registry, 'arrive' | 'relayed' | 'withdraw' | 'offer' | 'head'>;
  readonly policy: AlertPolicy;
  readonly clock: Clock;
  /** Signs a flip's text as this stop-taker; null, the default, for unsigned flips. */
  readonly sign?: ((text: string) => string) | null;
  readonly timings?: Partial<ExecutorTimings>;
  /** Alerts of one partition in hand, beyond which the bus has to wait. Default 2,000. */
  readonly maxBacklog?: number;
  readonly onEvent?: (event: AlertEvent) => void;
  readonly onError?: (error: Error) => void;
}
