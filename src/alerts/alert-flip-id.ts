import { createHash } from 'node:crypto';

/** What tells one alert from another of the same id: sha256 (hex) of its bytes. */
export function contentOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The id of the flip that an alert becomes: the same in every executor and at each reading, and known to its sender beforehand. */
export function alertFlipId(detector: string, alertId: string, content: string): string {
  // No two different triples share their bytes: an array of strings has one text.
  return `alert-${createHash('sha256')
    .update(JSON.stringify([detector, alertId, content]))
    .digest('hex')}`;
}
