import type { FlipRecord, Head, LoadAnswer, SignedHead } from './store.ts';

/** A flip as the record has it, with what the store says of it beside its text. */
export interface AuditedFlip extends FlipRecord {
  readonly previousHash: string;
  readonly id: string;
  readonly kind: string;
  /** Other signatures that came with it. */
  readonly signatures: readonly string[];
}

export interface AuditPage {
  /** Where the store says that its chain ends. */
  readonly head: Head;
  readonly flips: readonly AuditedFlip[];
}

/** The record as it stands, in pages, for whoever recomputes it (DESIGN §3.8), and the signatures of heads. */
export interface AuditStore {
  /** Up to `limit` flips after a revision, in order. */
  page(afterRevision: number, limit: number): Promise<AuditPage>;
  /** Signed heads after a revision, in order: `limit`, and those beyond it that share the last one's revision. */
  signedHeads(afterRevision: number, limit: number): Promise<readonly SignedHead[]>;
  /** Ids of the engagements that the store takes for open, in the order of their bytes. */
  openIds(after: string, limit: number): Promise<readonly string[]>;
  /** A load with the releases since the newest signed head, or with all. */
  proof(proof: 'signed' | 'all'): Promise<LoadAnswer>;
  /**
   * Keeps a signature of the head.
   *
   * @throws KilldrillError `HEAD_UNKNOWN` when the store's chain has no such head.
   */
  signHead(head: SignedHead): Promise<void>;
}
