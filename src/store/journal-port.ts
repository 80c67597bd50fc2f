import type { Actor } from '../actor.ts';

/** An intent as detectors see it. */
export interface JournaledEffect extends Actor {
  /** When it was let in, milliseconds since the Unix epoch by the store's clock. */
  readonly atMs: number;
  readonly capability: string;
  readonly access: 'read' | 'write';
}

/** How far a reader has come in the journal of one life of a worker. */
export interface JournalPlace {
  readonly incarnation: string;
  readonly seq: number;
}

export interface JournalPage {
  /** When it was asked, by the store's clock. */
  readonly nowMs: number;
  /** Oldest first. */
  readonly rows: readonly JournaledEffect[];
  /** There may be more behind these. */
  readonly more: boolean;
  /** Where to go on. */
  readonly places: readonly JournalPlace[];
}

/** The journal as it grows; its login role needs `killdrill_flipper`. */
export interface JournalSource {
  /**
   * What was let in after these places, for every worker that has reported or let something in within a minute. Null begins at
   * the end. A worker that is new to the reader is read from its last 1,000 intents on.
   */
  page(places: readonly JournalPlace[] | null, limit: number): Promise<JournalPage>;
}
