import type { FlipRecord } from './store.ts';

/** A stop as its taker gave it. */
export interface StopOffer {
  /** The flip's canonical text. */
  readonly text: string;
  /** Ed25519 over `text`, base64; null when unsigned. */
  readonly signature: string | null;
}

/** The control plane for those who take many stops: several of them become durable together. */
export interface StopStore {
  /**
   * Makes stops durable in one autocommit statement: all of them, in this order, or none. A stop that is there already
   * is answered as it was first.
   *
   * @throws KilldrillError as `FlipStore.flip`, for the first that cannot be taken; nothing of the batch was written then.
   */
  stops(offers: readonly StopOffer[]): Promise<readonly FlipRecord[]>;
}
