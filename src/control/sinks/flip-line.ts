import type { FlipRecord } from '../../store/store.ts';

/** A flip as sinks are told: where it stands in the chain, its text verbatim, and its signature. */
export function flipLine({ epoch, revision, hash, text, signature }: FlipRecord): string {
  return JSON.stringify({ epoch, revision, hash, text, signature });
}
