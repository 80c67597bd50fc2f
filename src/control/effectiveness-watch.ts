import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import { pause } from '../pause.ts';
import type { EffectivenessStore } from '../store/effectiveness-port.ts';
import { stopState } from './effectiveness.ts';
import type { StopState } from './effectiveness.ts';

export interface WatchParts {
  readonly store: Pick<EffectivenessStore, 'stopFacts'>;
  readonly clock: Clock;
  /** Pause between two looks, milliseconds. Default 100. */
  readonly pollMs?: number;
}

export interface WatchBounds {
  /** How long to look, milliseconds. */
  readonly withinMs: number;
  readonly signal?: AbortSignal;
}

/** Stops whose first sight is remembered; of more the oldest is forgotten, and counts from its next look. */
const MAX_SEEN = 10_000;

/**
 * Watches stops become effective. How long a stop has been durable it counts on its own monotonic clock, from when it saw
 * that: tell it at once (`sawDurable`) where that is known from the stop's own answer.
 */
export class EffectivenessWatch {
  readonly #parts: WatchParts;
  readonly #seenMs = new Map<string, number>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** This process has just learnt that the stop is durable. */
  sawDurable(id: string): void {
    if (this.#seenMs.has(id)) return;
    this.#seenMs.set(id, this.#parts.clock.monotonicMs());
    const [oldest] = this.#seenMs.keys();
    if (this.#seenMs.size > MAX_SEEN && oldest !== undefined) this.#seenMs.delete(oldest);
  }

  /** One look; null while no stop of this id is in the store. @throws as the store does. */
  async look(id: string): Promise<StopState | null> {
    const askedMs = this.#parts.clock.monotonicMs();
    const facts = await this.#parts.store.stopFacts(id);
    if (facts === null) return null;
    this.sawDurable(id);
    return stopState(facts, { durableSeenMs: this.#seenMs.get(id) ?? askedMs, askedMs });
  }

  /**
   * Looks again and again, and ends with the first state that is final (`effective`, `closed`), or when the time is up: then
   * the last state is `pending`. A store that does not answer is asked again.
   *
   * @throws KilldrillError `STOP_UNSEEN` when not a single look found the stop; the signal's reason when that fires.
   */
  async *watch(id: string, { withinMs, signal }: WatchBounds): AsyncGenerator<StopState, void, undefined> {
    const { clock, pollMs = 100 } = this.#parts;
    const untilMs = clock.monotonicMs() + withinMs;
    let [seen, cause]: [boolean, unknown] = [false, undefined];
    for (;;) {
      signal?.throwIfAborted();
      const state = await this.look(id).catch((error: unknown) => {
        cause = error;
        return null;
      });
      if (state !== null) {
        seen = true;
        yield state;
        if (state.state !== 'pending') return;
      }
      const restMs = untilMs - clock.monotonicMs();
      if (restMs <= 0) break;
      await pause(clock, Math.min(pollMs, restMs), signal);
    }
    if (seen) return;
    throw new KilldrillError(
      'STOP_UNSEEN',
      `stop '${id}' was not found within ${withinMs} ms; expected the id of a stop that is in the store`,
      { cause },
    );
  }
}
