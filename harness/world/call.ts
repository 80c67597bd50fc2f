import type { ChannelId } from '../history/event.ts';
import { isHeld } from '../traffic/held.ts';
import type { Refusal } from './route.ts';
import type { KeyState, RunPage, TakenStep } from './run-book.ts';

/** What a channel has seen, for the progress line and for comparing with its worker's own count. */
export interface ChannelTally {
  arrived: number;
  open: number;
  landed: number;
  failed: number;
  closed: number;
  handed: number;
}

/** How a caller hears what became of its call. Of `landed` and `refused` one is called, at most once. */
export interface Answer {
  /** Of a call that is answered in pieces: its service has begun. */
  readonly begin: () => void;
  readonly piece: () => void;
  readonly landed: () => void;
  readonly refused: (refusal: Refusal) => void;
}

export interface EffectRequest {
  readonly channel: ChannelId;
  readonly worker: string;
  readonly tally: ChannelTally;
  readonly page: RunPage;
  readonly capability: string;
  readonly key: string;
  readonly taken: TakenStep;
  /** The downstream refuses it; null: it does not. */
  readonly refusal: Refusal | null;
  readonly answer: Answer;
  /** Called once its key has landed, for the first time. */
  readonly onLanded: (effect: number) => void;
}

/** An answer in pieces has one every so often, and not more than so many. */
const PIECES = { everyMs: 50, atMost: 8 } as const;

/** One request to the downstream. */
export class Call {
  readonly effect: number;
  readonly request: EffectRequest;
  readonly key: KeyState;
  readonly endsNs: number;
  bodyIn = false;
  served = false;
  cancelService: (() => void) | null = null;

  constructor(effect: number, request: EffectRequest, arrivedNs: number) {
    this.effect = effect;
    this.request = request;
    this.key = request.taken.key;
    this.endsNs = arrivedNs + this.key.serviceMs * 1e6;
  }

  get held(): boolean {
    return isHeld(this.request.page.run, this.key.step);
  }

  /** Into how many parts its service time is cut; a piece is sent after each but the last. */
  get parts(): number {
    const { streams, serviceMs } = this.key;
    return streams ? Math.min(PIECES.atMost, Math.max(1, Math.round(serviceMs / PIECES.everyMs))) : 1;
  }

  stopService(): void {
    this.cancelService?.();
    this.cancelService = null;
  }
}
