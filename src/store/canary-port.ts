/** Who flies a canary now: two at once would hide each other from the gates that are tried. */
export type CanaryTurn =
  /** The caller, until it ends its turn, or its term is over by the store's clock. */
  | { readonly kind: 'mine' }
  /** Somebody else, who has to be done within so long. */
  | { readonly kind: 'taken'; readonly by: string; readonly forMs: number }
  /** Nobody, and nobody needs to: a round began less than `everyMs` ago. */
  | { readonly kind: 'early'; readonly inMs: number };

export interface WantedTurn {
  /** Names this one turn, for ever. */
  readonly token: string;
  /** Who asks, for whoever has to wait. */
  readonly by: string;
  /** How long the turn lasts at most, milliseconds; who dies in it is waited for no longer. */
  readonly termMs: number;
  /** Not before so long after the last round began, whoever flew it; 0 for at once. */
  readonly everyMs: number;
}

/** Canaries of one namespace take turns, from however many processes. Its login role needs `killdrill_flipper`. */
export interface CanaryTurns {
  take(wanted: WantedTurn): Promise<CanaryTurn>;
  /** The next one may begin. A turn that is over anyhow is left alone. */
  end(token: string): Promise<void>;
}
