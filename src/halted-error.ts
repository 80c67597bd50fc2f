import { KilldrillError } from './errors.ts';
import type { Mode, Scope } from './switch.ts';

export interface HaltedFacts {
  readonly agentId: string;
  readonly reason: string;
  /** Null when nobody said stop, but nobody could be asked either (`unverified`). */
  readonly scope: Scope | null;
  readonly target: string | null;
  readonly mode: Mode;
  /** The flip's revision; null while the store has not said, and for `unverified`. */
  readonly revision: number | null;
  readonly kind: 'operator' | 'unverified';
  /** Id of the engagement that stopped it; null for `unverified`. */
  readonly engagement: string | null;
}

/**
 * A refusal at the gate. It is final for this call: retrying it by itself is never right.
 *
 * `operator`: somebody said stop; the run is latched and refuses with this same object until it is resumed.
 * `unverified`: the registry could not be trusted; it lasts until the registry is verified again.
 */
export class HaltedError extends KilldrillError {
  readonly agentId: string;
  readonly reason: string;
  readonly scope: Scope | null;
  readonly target: string | null;
  readonly mode: Mode;
  readonly revision: number | null;
  readonly kind: 'operator' | 'unverified';
  readonly engagement: string | null;
  readonly retryable = false;

  constructor(facts: HaltedFacts) {
    super('HALTED', sentenceOf(facts));
    this.name = 'HaltedError';
    this.agentId = facts.agentId;
    this.reason = facts.reason;
    this.scope = facts.scope;
    this.target = facts.target;
    this.mode = facts.mode;
    this.revision = facts.revision;
    this.kind = facts.kind;
    this.engagement = facts.engagement;
  }
}

/** The same class under the name that earlier circuit-breaker code expects. */
export { HaltedError as CircuitBreakerTripped };

function sentenceOf(facts: HaltedFacts): string {
  if (facts.kind === 'unverified') {
    return `agent ${facts.agentId} is refused: ${facts.reason}; it goes on once that is over`;
  }
  return `agent ${facts.agentId} is stopped by ${facts.scope}:${facts.target} in mode ${facts.mode}: ${facts.reason}`;
}
