import { Rounds } from '../../alerts/rounds.ts';
import type { Clock } from '../../clock.ts';
import type { ControlStore, RefusedRequest } from '../../store/control-port.ts';

const RETRY_MS = 1_000;
/** Refusals that wait for the store; beyond it they are only counted. */
const MAX_WAITING = 1_000;

interface RefusalLogParts {
  readonly store: Pick<ControlStore, 'recordRefusal'>;
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
}

/** Brings refusals to the record, in their own time: whoever was refused waits for nobody. */
export class RefusalLog {
  readonly #parts: RefusalLogParts;
  readonly #rounds: Rounds;
  readonly #waiting: RefusedRequest[] = [];
  #dropped = 0;

  constructor(parts: RefusalLogParts) {
    this.#parts = parts;
    const { clock, onError } = parts;
    this.#rounds = new Rounds({ clock, retryMs: RETRY_MS, onError, round: () => this.#round() });
  }

  /** How many wait for the store, and how many were too many to keep. */
  status(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#waiting.length, dropped: this.#dropped };
  }

  add(refused: RefusedRequest): void {
    if (this.#waiting.length >= MAX_WAITING) this.#dropped += 1;
    else this.#waiting.push(refused);
    this.#rounds.poke();
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #round(): Promise<void> {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      await this.#parts.store.recordRefusal(first);
      this.#waiting.shift();
    }
  }
}
