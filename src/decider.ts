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
  /** Why it may not, where that is something else than the store's silence; null otherwise. */
  unverifiedBecause?(): string | null;
}

/** A further source of stops that has to be trusted too, such as a state file. */
export interface Source {
  /** Null while it can be trusted. */
  readonly refusal: { readonly why: string } | null;
}

export interface ActiveStop {
  readonly engagement: Engagement;
  readonly revision: number | null;
}

/** Decides from the registry, and trusts it for as long as the lease is held and every further source can be trusted. */
export class RegistryDecider implements Decider {
  readonly #registry: Registry;
  readonly #lease: Lease;
  readonly #source: Source | null;

  constructor(registry: Registry, lease: Lease, source: Source | null = null) {
    this.#registry = registry;
    this.#lease = lease;
    this.#source = source;
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
    if (this.#registry.head === null || !this.#lease.held()) return false;
    return this.#source === null || this.#source.refusal === null;
  }

  unverifiedBecause(): string | null {
    return this.#source?.refusal?.why ?? null;
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
export function haltedUnverified(agentId: string, reason?: string | null): HaltedError {
  return new HaltedError({
    agentId,
    reason: reason ?? UNVERIFIED_REASON,
    scope: null,
    target: null,
    mode: 'disengaged',
    revision: null,
    kind: 'unverified',
    engagement: null,
  });
}

const UNVERIFIED_REASON = 'the registry is unverified, since the store has not answered within the lease';
