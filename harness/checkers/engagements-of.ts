import { parseFlip } from '../../src/flip-text.ts';
import type { Flip, QueuePolicy, StopMode, Switch } from '../../src/switch.ts';
import type { EventOf } from '../history/event.ts';

/** One engagement by the store's own record. */
export interface StoreEngagement {
  readonly id: string;
  readonly on: Switch;
  readonly mode: StopMode;
  /** The policy that counts: a stop in mode `halt_noncritical` always parks. */
  readonly queue: QueuePolicy;
  /** Null unless it drains. */
  readonly drainMs: number | null;
  readonly revision: number;
  /** Infinite while it is open. */
  readonly closedRevision: number;
  /** When it was opened, nanoseconds of the store's clock. */
  readonly atNs: number;
  /** When it was closed, by the store's clock; infinite while it is open. */
  readonly closedAtNs: number;
}

/** What the flips opened and closed. A text that cannot be read is passed over: the properties of flips name it. */
export function engagementsOf(storeFlips: readonly EventOf<'store.flip'>[]): readonly StoreEngagement[] {
  const engagements = new Map<string, StoreEngagement>();
  for (const { text, revision, t0: atNs } of storeFlips) {
    const flip = readableFlip(text);
    if (flip?.kind === 'stop') {
      const { id, scope, target, mode, drainMs = null } = flip;
      const queue = mode === 'halt_noncritical' ? 'park' : flip.queue;
      const open = { closedRevision: Number.POSITIVE_INFINITY, closedAtNs: Number.POSITIVE_INFINITY };
      engagements.set(id, { id, on: { scope, target }, mode, queue, drainMs, revision, atNs, ...open });
    } else if (flip?.kind === 'release') {
      for (const id of flip.engagements) {
        const there = engagements.get(id);
        if (there !== undefined && there.closedRevision === Number.POSITIVE_INFINITY)
          engagements.set(id, { ...there, closedRevision: revision, closedAtNs: atNs });
      }
    }
  }
  return [...engagements.values()];
}

/** The flip of a stored text; null when it cannot be read. */
export function readableFlip(text: string): Flip | null {
  try {
    return parseFlip(text);
  } catch {
    return null;
  }
}

/** Whether the engagement is open right after a revision, by the store's order. */
export function isOpenAfter({ revision, closedRevision }: StoreEngagement, afterRevision: number): boolean {
  return afterRevision >= revision && afterRevision < closedRevision;
}
