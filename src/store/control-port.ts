import type { FlipRecord, StoreAnswer } from './store.ts';

/** A page of the record, oldest first. */
export interface FlipsPage extends StoreAnswer {
  readonly flips: readonly FlipRecord[];
}

/** A request that was turned away. */
export interface RefusedRequest {
  /** Name of the key, never the key itself. */
  readonly by: string;
  /** What was asked for, such as `POST /release`. */
  readonly request: string;
  readonly code: string;
  readonly message: string;
}

/** What the control API asks the store for, besides stops and releases. */
export interface ControlStore {
  /** Flips after this revision, at most `limit` (1 to 1,000) of them. */
  flipsPage(afterRevision: number, limit: number): Promise<FlipsPage>;
  /** Puts a refusal on record, for ever. */
  recordRefusal(refused: RefusedRequest): Promise<void>;
}
