import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';

/** How to reach the store; what is left out has the default named here. */
export interface StoreOptions {
  readonly connectionString: string;
  readonly namespace: string;
  /** The PostgreSQL schema that `migrate` was given; `killdrill`. */
  readonly schema?: string;
  readonly timings?: Partial<StoreTimings>;
  readonly clock?: Clock;
}

/** Bounds on waiting, milliseconds. */
export interface StoreTimings {
  /** For a connection to be made and authenticated. */
  readonly connectMs: number;
  /** For the server to work on one statement, by the server's clock. */
  readonly statementMs: number;
  /** For an answer, by this process's clock; above `statementMs`, so that the server gives up first where it can. */
  readonly answerMs: number;
  /** Longest pause before a new connection is tried; the first is a tenth of it, and each failure doubles it. */
  readonly backOffMs: number;
  /** How long a flip waits for the fence's lock in each try (DESIGN §10). */
  readonly lockMs: number;
  /** H of DESIGN §3.6: a store that has been up for less admits nothing. */
  readonly minimumAgeMs: number;
}

export const STORE_TIMINGS: StoreTimings = {
  connectMs: 1_000,
  statementMs: 1_000,
  answerMs: 1_200,
  backOffMs: 100,
  lockMs: 150,
  minimumAgeMs: 600,
};

export const DEFAULT_SCHEMA = 'killdrill';

export interface ResolvedStoreOptions extends Required<StoreOptions> {
  readonly timings: StoreTimings;
}

export function resolveStoreOptions(options: StoreOptions): ResolvedStoreOptions {
  return {
    connectionString: options.connectionString,
    namespace: options.namespace,
    schema: options.schema ?? DEFAULT_SCHEMA,
    timings: { ...STORE_TIMINGS, ...options.timings },
    clock: options.clock ?? systemClock,
  };
}
