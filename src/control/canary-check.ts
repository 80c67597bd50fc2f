import type { Gate } from '../gate.ts';
import { HaltedError } from '../halted-error.ts';
import type { Registry } from '../registry.ts';

/** The switch that nobody's agent is behind: it is flipped to see that a stop still reaches every gate. */
export const CANARY = { scope: 'agent', target: 'killdrill-canary' } as const;
/** What the canary asks its gate for. */
export const CANARY_CAPABILITY = 'read/killdrill-canary';
/** The source that goes on record with a canary's flips. */
export const CANARY_SOURCE = 'canary';

const DEADLINE_MS = 1_000;

/**
 * Tries the process's own gate as the canary whenever its switch is stopped, and remembers the newest stop that the gate
 * refused it for. Nothing is sent: should the gate let it pass, the call does nothing, and the stop counts as not refused.
 */
export class CanaryCheck {
  readonly #registry: Registry;
  readonly #gate: Gate;
  readonly #refusedOne: () => void;
  #refused: number | null = null;
  readonly #tried = new Set<string>();

  /** `refusedOne` is called after each refusal. */
  constructor(registry: Registry, gate: Gate, refusedOne: () => void) {
    this.#registry = registry;
    this.#gate = gate;
    this.#refusedOne = refusedOne;
    registry.onChange(() => this.#look());
  }

  /** Revision of the newest canary that the gate refused; null before the first. */
  get refusedRevision(): number | null {
    return this.#refused;
  }

  #look(): void {
    for (const { id, scope, target } of this.#registry.openEngagements()) {
      if (scope !== CANARY.scope || target !== CANARY.target) continue;
      const revision = this.#registry.revisionOf(id);
      if (revision === null || revision <= (this.#refused ?? 0) || this.#tried.has(id)) continue;
      this.#tried.add(id);
      void this.#try(id, revision);
    }
  }

  async #try(id: string, revision: number): Promise<void> {
    const identity = { run: `killdrill-canary ${id}`, agent: CANARY.target };
    const effect = { capability: CANARY_CAPABILITY, access: 'read', journal: false } as const;
    try {
      await this.#gate.enter(identity, () =>
        this.#gate.run({ ...effect, idempotencyKey: id, deadlineMs: DEADLINE_MS }, () => Promise.resolve()),
      );
    } catch (error) {
      // Refused by a wider stop it shows nothing about this one.
      if (!(error instanceof HaltedError) || error.engagement !== id) return;
      this.#refused = Math.max(this.#refused ?? 0, revision);
      this.#refusedOne();
    } finally {
      this.#tried.delete(id);
    }
  }
}
