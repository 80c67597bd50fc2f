import type { StoreHead } from '../bundle/manifest.ts';
import type { HistoryEvent } from '../history/event.ts';

/** The store's head as a drill has read it at its end; null when it did not get that far. */
export function storeHeadOf(events: readonly HistoryEvent[]): StoreHead | null {
  const head = events.findLast((event) => event.type === 'store.head');
  return head?.type === 'store.head'
    ? { epoch: head.epoch, revision: head.revision, hash: head.hash, signature: null }
    : null;
}
