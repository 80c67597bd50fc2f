import { KilldrillError, messageOf } from '../../src/errors.ts';
import { canonicalText } from '../../src/flip-text.ts';
import type { FlipStore } from '../../src/store/store.ts';
import type { Flip } from '../../src/switch.ts';
import { sleep, waitUntil } from '../environment/wait.ts';
import type { DrillClock } from '../history/clock.ts';
import type { Answered } from './answered.ts';

export interface StoreHandParts {
  readonly store: Pick<FlipStore, 'flip'>;
  /** The revision of a flip in the store; null while it is not there. */
  readonly look: (id: string) => Promise<number | null>;
  /** Signs as the operator. */
  readonly sign: (text: string) => string;
  readonly clock: DrillClock;
}

export type Durable = Extract<Answered, { kind: 'durable' }>;

/** While the store is away a flip is offered again, under its same id, for as long as this. */
const INSIST_MS = 10_000;
const AGAIN_MS = 50;
/** An executor, an API or a store that is killed in between is back within less, with what it held. */
const IN_STORE_MS = 30_000;
const IN_STORE_LOOK_MS = 4;

/** The operator's hand on the store. */
export class StoreHand {
  readonly #parts: StoreHandParts;

  constructor(parts: StoreHandParts) {
    this.#parts = parts;
  }

  /** The same id and text may be offered again: the store takes it once and gives the first answer. */
  async put(flip: Flip, requestedNs: number, signal: AbortSignal): Promise<Answered> {
    const { store, clock, sign } = this.#parts;
    const text = canonicalText(flip);
    for (;;) {
      const sentNs = clock.nowNs();
      try {
        const { record } = await store.flip(text, sign(text));
        return { kind: 'durable', revision: record.revision, sentNs };
      } catch (error) {
        const again = error instanceof KilldrillError && error.code === 'STORE_UNREACHABLE';
        const tooLate = clock.nowNs() - requestedNs > INSIST_MS * 1e6;
        if (!again || tooLate) return { kind: 'refused', error: messageOf(error), sentNs };
        await sleep(AGAIN_MS, signal);
      }
    }
  }

  /** Waits until somebody has put a flip into the store; null when nobody did in time. */
  async await(id: string, signal: AbortSignal): Promise<Durable | null> {
    const { look, clock } = this.#parts;
    let found: Durable | null = null;
    const isThere = async (): Promise<boolean> => {
      const sentNs = clock.nowNs();
      const revision = await look(id).catch(() => null);
      if (revision !== null) found = { kind: 'durable', revision, sentNs };
      return revision !== null;
    };
    await waitUntil(isThere, { boundMs: IN_STORE_MS, everyMs: IN_STORE_LOOK_MS, signal });
    return found;
  }

  /** The same, as an answer. @param who has not put it there, for the sentence */
  async awaitFrom(who: string, id: string, signal: AbortSignal): Promise<Answered> {
    const found = await this.await(id, signal);
    return found ?? { kind: 'refused', error: `${who} has put it into the store`, sentNs: this.#parts.clock.nowNs() };
  }
}
