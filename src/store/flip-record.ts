/** Where the store's chain of flips ends. Two heads are the same history only if all three fields are equal. */
export interface Head {
  /** Changes when a store is restored from elsewhere. */
  readonly epoch: string;
  /** Number of flips in the namespace; 0 before the first. Gapless; commit order is revision order. */
  readonly revision: number;
  /** sha256 (hex) over the previous hash, the epoch, the revision and the flip's text; `''` at revision 0. */
  readonly hash: string;
}

/** One flip as the store has it. */
export interface FlipRecord extends Head {
  /** The flip's canonical text, verbatim as the taker gave it. */
  readonly text: string;
  /** Ed25519 over `text`, base64; null when unsigned. */
  readonly signature: string | null;
}

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
