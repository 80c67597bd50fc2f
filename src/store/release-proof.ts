import type { FlipRecord, Head } from './flip-record.ts';

/** A head that somebody has signed: whoever did vouches for what was released up to it. */
export interface SignedHead extends Head {
  readonly signature: string;
}

/** A release, and the stops that it closed, as the store has them. */
export interface ReleasedFlip extends FlipRecord {
  readonly closed: readonly FlipRecord[];
}

/** All releases after a signed head; those before it are vouched for by its signature. */
export interface ReleaseProof {
  /** Null: these are all releases. */
  readonly since: SignedHead | null;
  readonly releases: readonly ReleasedFlip[];
}

/** How much a load has to prove: nothing, the releases since the newest signed head, or all of them. */
export type WantedProof = 'none' | 'signed' | 'all';
