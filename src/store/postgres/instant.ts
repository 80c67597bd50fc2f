import { KilldrillError } from '../../errors.ts';

/**
 * An instant as every store reads it: what `Date` makes of it, whatever PostgreSQL's time zone and its own words for
 * instants (`tomorrow`) are.
 *
 * @throws KilldrillError `STORE_VALUE`
 */
export function storedInstant(at: string): string {
  const ms = Date.parse(at);
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw new KilldrillError('STORE_VALUE', `'${at}' is no instant; expected ISO 8601 such as 2026-01-01T00:00:00Z`);
}
