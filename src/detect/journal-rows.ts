import type { Actor } from '../actor.ts';
import { KilldrillError } from '../errors.ts';
import type { AlertDraft, AlertPort } from './alert-draft.ts';
import { Detection } from './detection.ts';
import { RowClock } from './row-clock.ts';
import type { DetectorConfig } from './rule.ts';

/** What detectors need of a row of the journal; an entry of the ledger is one. */
export interface JournalRow extends Actor {
  readonly capability: string;
  readonly access: 'read' | 'write';
  /** When its intent was let in, ISO 8601 by the store's clock. */
  readonly at: string;
  /** The same text for the same arguments, where the reader of the journal knows them. */
  readonly fingerprint?: string | null;
}

/** What was seen in a stream of rows, at its end. */
export interface RowsSeen {
  readonly rows: number;
  /** Rows that no detector could make sense of; the first of them says why. */
  readonly unreadable: number;
  readonly firstUnreadable: string | null;
  /** What is red at the time of the last row. */
  readonly red: readonly AlertDraft[];
}

/**
 * Detectors beside the fleet, over a stream of its journal: a live one, or an old one that is read again to see what they
 * would have said. Time is the rows' own, so that neither a stream that lags nor one that is read at once looks like a
 * rush; while no row comes nothing is raised again. A row that cannot be read ends nothing.
 *
 * Resolves when the stream ends or the signal has fired between two rows. @throws what the stream throws.
 */
export async function detectInRows(
  rows: AsyncIterable<JournalRow> | Iterable<JournalRow>,
  config: DetectorConfig,
  port: AlertPort,
  signal?: AbortSignal,
): Promise<RowsSeen> {
  const clock = new RowClock();
  const detection = new Detection(config, port, clock);
  let [seen, unreadable] = [0, 0];
  let firstUnreadable: string | null = null;
  for await (const row of rows) {
    if (signal?.aborted === true) break;
    seen += 1;
    try {
      clock.reach(instantOf(row.at));
      const { tenant, feature, agent, run, capability, access, fingerprint = null } = row;
      detection.look();
      detection.observe({ kind: 'effect', tenant, feature, agent, run, capability, access, fingerprint });
    } catch (error) {
      if (!(error instanceof KilldrillError)) throw error;
      unreadable += 1;
      firstUnreadable ??= error.message;
    }
  }
  return { rows: seen, unreadable, firstUnreadable, red: detection.red() };
}

function instantOf(at: string): number {
  const ms = Date.parse(at);
  if (Number.isFinite(ms)) return ms;
  throw new KilldrillError(
    'OBSERVATION_INVALID',
    `a row is of '${at}'; give it an instant such as 2026-01-31T12:00:00Z`,
  );
}
