import { HaltedError } from './halted-error.ts';
import type { Lease } from './lease.ts';
import type { Registry } from './registry.ts';
import type { Engagement, Subject } from './switch.ts';

/**
 * What the gate asks before everything: may this subject act, now?
 *
 * The one implementation in the runtime is `RegistryDecider`; the port exists so that a drill can wrap it.
 */
export interface Decider {
  /** Changes whenever `stopFor` may answer otherwise for some subject. */
  readonly version: number;
  /** The engagement that stops the subject, with its revision where known; null when none does. */
  stopFor(subject: Subject): ActiveStop | null;
  /** Whether the picture that `stopFor` decides from may be trusted at this instant. */
  verified(): boolean;
}

export interface ActiveStop {
  readonly engagement: Engagement;
  readonly revision: number | null;
}

/** Decides from the registry, and trusts it for as long as the lease is held. */
export class RegistryDecider implements Decider {
  readonly #registry: Registry;
  readonly #lease: Lease;

  constructor(registry: Registry, lease: Lease) {
    this.#registry = registry;
    this.#lease = lease;
  }

  get version(): number {
    return this.#registry.version;
  }

  stopFor(subject: Subject): ActiveStop | null {
    const decision = this.#registry.decide(subject);
    if (decision.kind === 'pass') return null;
    return { engagement: decision.engagement, revision: this.#registry.revisionOf(decision.engagement.id) };
  }

  verified(): boolean {
    return this.#registry.head !== null && this.#lease.held();
  }
}

/** The refusal that an operator's stop causes. */
export function haltedByOperator(agentId: string, stop: ActiveStop): HaltedError {
  const { id, reason, scope, target, mode } = stop.engagement;
  return new HaltedError({
    agentId,
    reason,
    scope,
    target,
    mode,
    revision: stop.revision,
    kind: 'operator',
    engagement: id,
  });
}

/** The refusal while the registry cannot be trusted. */
export function haltedUnverified(agentId: string, reason = UNVERIFIED_REASON): HaltedError {
  return new HaltedError({
    agentId,
    reason,
    scope: null,
    target: null,
    mode: 'disengaged',
    revision: null,
    kind: 'unverified',
    engagement: null,
  });
}

const UNVERIFIED_REASON = 'the registry is unverified, since the store has not answered within the lease';
