import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import { within } from '../within.ts';
import type { AlertBus, DeadLetter } from './alert-bus.ts';
import type { RefusalEntry } from './alert-lane.ts';
import { Rounds } from './rounds.ts';

interface DeadLettersParts {
  readonly bus: Pick<AlertBus, 'deadLetter'>;
  readonly clock: Clock;
  readonly retryMs: number;
  readonly callMs: number;
  /** The letters of some entries are kept for certain. */
  readonly kept: () => void;
  readonly onError: (error: Error) => void;
}

/** Letters that are sent at once. */
const BATCH = 200;

/** Sends dead letters as soon as there are any, whether or not the store is there, and until the bus has them. */
export class DeadLetters {
  readonly #parts: DeadLettersParts;
  readonly #rounds: Rounds;
  #due: readonly RefusalEntry[] = [];

  constructor(parts: DeadLettersParts) {
    this.#parts = parts;
    const { clock, retryMs, onError } = parts;
    this.#rounds = new Rounds({ clock, retryMs, onError, round: () => this.#round() });
  }

  send(entry: RefusalEntry): void {
    this.#due = [...this.#due, entry];
    this.#rounds.poke();
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #round(): Promise<void> {
    while (this.#due.length > 0) {
      const batch = this.#due.slice(0, BATCH);
      await this.#send(batch.flatMap(({ letter }) => (letter === null ? [] : [letter])));
      for (const entry of batch) entry.letter = null;
      this.#due = this.#due.filter((entry) => entry.letter !== null);
      this.#parts.kept();
    }
  }

  #send(letters: readonly DeadLetter[]): Promise<void> {
    const { bus, clock, callMs } = this.#parts;
    const late = (): Error =>
      new KilldrillError('BUS_LATE', `the bus did not acknowledge ${letters.length} dead letters within ${callMs} ms`);
    return within(clock, callMs, bus.deadLetter(letters), late);
  }
}
