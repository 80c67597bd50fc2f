import type { Actor } from '../actor.ts';
import type { Effect } from '../effect.ts';
import type { GateObserver } from '../gate-observer.ts';
import type { HaltedError } from '../halted-error.ts';
import { currentRun } from '../run-context.ts';
import type { OutcomeKind } from '../store/store.ts';
import type { Subject } from '../switch.ts';
import type { Detection } from './detection.ts';

/** The metric that every effect gives one reading of: 1 if its downstream refused it, 0 if it landed. */
export const FAILED_EFFECTS = 'failed-effects';

/**
 * Detectors in an agent's own process, fed by its gate: `new Runtime(store, { …, observer })`.
 *
 * What is sent counts at once, so that a rate is red at the very write that makes it so. Refusals are counted here and
 * shown to no detector: refused calls harm nobody, and an agent that keeps asking would never look green again.
 */
export class DetectionObserver implements GateObserver {
  readonly #detection: Detection;
  #operator = 0;
  #unverified = 0;

  constructor(detection: Detection) {
    this.#detection = detection;
  }

  /** Calls that the gate refused, by what refused them. */
  get refusals(): { readonly operator: number; readonly unverified: number } {
    return { operator: this.#operator, unverified: this.#unverified };
  }

  sent(subject: Subject, { capability, access, fingerprint = null }: Effect): void {
    this.#detection.observe({ kind: 'effect', ...actorOf(subject), capability, access, fingerprint });
  }

  ended(subject: Subject, _effect: Effect, outcome: Exclude<OutcomeKind, 'blocked'>): void {
    if (outcome === 'unknown') return; // nobody's word that it failed
    const value = outcome === 'failed' ? 1 : 0;
    this.#detection.observe({ kind: 'metric', ...actorOf(subject), name: FAILED_EFFECTS, value });
  }

  refused(_subject: Subject, _effect: Effect, { kind }: HaltedError): void {
    if (kind === 'operator') this.#operator += 1;
    else this.#unverified += 1;
  }

  /**
   * Money, tokens or whatever the thresholds are in, as the current run spends it.
   *
   * @throws KilldrillError `NO_RUN` outside of a run; `OBSERVATION_INVALID` for an amount that is none.
   */
  spent(amount: number): void {
    this.#detection.observe({ kind: 'cost', ...actorOf(currentRun().subject), amount });
  }

  /**
   * One reading of a guardrail, of the current run.
   *
   * @throws KilldrillError `NO_RUN` outside of a run; `OBSERVATION_INVALID` for a value that is no finite number.
   */
  reading(metric: string, value: number): void {
    this.#detection.observe({ kind: 'metric', ...actorOf(currentRun().subject), name: metric, value });
  }
}

function actorOf({ tenant, feature, agent, run }: Subject): Actor {
  return { tenant, feature, agent, run };
}
