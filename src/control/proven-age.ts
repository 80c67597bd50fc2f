import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import type { EffectivenessStore } from '../store/effectiveness-port.ts';
import { within } from '../within.ts';
import { lastProvenMs } from './canary.ts';

/** How long somebody who asks waits for the store, milliseconds; then the last answer has to do. */
const ANSWER_MS = 250;

/** How long ago the fleet was last proven able to halt, also while the store does not say. */
export class ProvenAge {
  readonly #fleet: Pick<EffectivenessStore, 'fleet'>;
  readonly #clock: Clock;
  #provenAtMs: number | null = null;
  #asking: Promise<number | null> | null = null;

  constructor(fleet: Pick<EffectivenessStore, 'fleet'>, clock: Clock) {
    [this.#fleet, this.#clock] = [fleet, clock];
  }

  /** As of the last answer, milliseconds; null when not every worker has refused a canary, or nobody knows. */
  known(): number | null {
    return this.#provenAtMs === null ? null : this.#clock.monotonicMs() - this.#provenAtMs;
  }

  /** As the store says now, if it says so soon; otherwise what is known. */
  ask(): Promise<number | null> {
    // However many ask meanwhile, the store is asked once.
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(): Promise<number | null> {
    const late = (): Error => new KilldrillError('STORE_UNREACHABLE', `the store did not answer in ${ANSWER_MS} ms`);
    try {
      const agoMs = lastProvenMs(await within(this.#clock, ANSWER_MS, this.#fleet.fleet(), late));
      this.#provenAtMs = agoMs === null ? null : this.#clock.monotonicMs() - agoMs;
    } catch {
      // A store that is away has unproven nothing.
    }
    return this.known();
  }
}
