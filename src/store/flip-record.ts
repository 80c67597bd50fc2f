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
