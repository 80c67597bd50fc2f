import { createHash } from 'node:crypto';
import type { Actor } from '../actor.ts';
import type { Clock } from '../clock.ts';
import type { InFlight } from '../in-flight.ts';
import type { Lease } from '../lease.ts';
import type { Registry } from '../registry.ts';
import type { RunningRuns } from '../running-runs.ts';
import type { Head, QueueCount } from '../store/store.ts';
import type { Engagement } from '../switch.ts';

/** What a process knows about itself at the moment of an emergency. Names and numbers only: no payloads, no keys. */
export interface EmergencyFacts {
  readonly version: 1;
  readonly namespace: string;
  readonly worker: string;
  readonly incarnation: string;
  /** ISO 8601, by this process's clock. */
  readonly at: string;
  /** The engagement that was the occasion. */
  readonly engagement: string;
  /** Where it was opened; null while the store has not said. */
  readonly revision: number | null;
  readonly head: Head | null;
  readonly lease: { readonly held: boolean; readonly leftMs: number | null };
  readonly switches: readonly SwitchFacts[];
  readonly runs: readonly RunFacts[];
  readonly calls: { readonly count: number; readonly listed: readonly CallFacts[] };
  /** Calls that went past their deadline and have not ended. */
  readonly unconfirmed: readonly UnconfirmedFacts[];
  /** Tasks by kind and state; null when the store did not answer in time. */
  readonly queue: readonly QueueCount[] | null;
}

export interface SwitchFacts extends Omit<Engagement, 'reason'> {
  readonly revision: number | null;
  /** At most 200 characters. */
  readonly reason: string;
}

export interface RunFacts extends Actor {
  readonly lineage: readonly string[];
  readonly task: string | null;
  readonly forMs: number;
}

export interface CallFacts {
  readonly run: string;
  readonly capability: string | null;
  /** First half of the sha256 of the idempotency key, hex: enough to find the key that one has, not to learn one. */
  readonly key: string;
  readonly forMs: number;
  readonly aborted: boolean;
}

export interface UnconfirmedFacts {
  readonly run: string;
  readonly capability: string | null;
  readonly forMs: number;
}

export interface EmergencySources {
  readonly namespace: string;
  readonly worker: string;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly lease: Lease;
  readonly inFlight: InFlight;
  readonly runs: RunningRuns;
}

const MAX_REASON = 200;
/** Calls and runs that are listed at most, each. */
const MAX_LISTED = 5_000;

/**
 * Takes down the state of this process in this very tick, and answers how to make the facts of it: hashing and the store's
 * part can wait until the stop has done its work.
 */
export function takeDown(
  sources: EmergencySources,
  engagement: string,
): (queue: readonly QueueCount[] | null) => EmergencyFacts {
  const { clock, registry, lease, inFlight, runs } = sources;
  const nowMs = clock.monotonicMs();
  const wallMs = clock.wallMs();
  const held = lease.held();
  const { deadlineMs } = lease;
  const { head } = registry;
  const switches = registry.openEngagements().map((one) => ({ ...one, revision: registry.revisionOf(one.id) }));
  const running = runs.list();
  const calls = inFlight.list();
  const unconfirmed = inFlight.unconfirmed();
  return (queue) => ({
    version: 1,
    namespace: sources.namespace,
    worker: sources.worker,
    incarnation: sources.incarnation,
    at: new Date(wallMs).toISOString(),
    engagement,
    revision: switches.find(({ id }) => id === engagement)?.revision ?? null,
    head,
    lease: { held, leftMs: deadlineMs === null ? null : Math.max(0, Math.round(deadlineMs - nowMs)) },
    switches: switches.map((one) => ({ ...one, reason: one.reason.slice(0, MAX_REASON) })),
    runs: running.slice(0, MAX_LISTED).map((one) => runFacts(one, nowMs)),
    calls: { count: calls.length, listed: calls.slice(0, MAX_LISTED).map((one) => callFacts(one, nowMs)) },
    unconfirmed: unconfirmed.map(({ run, capability, sinceMs }) => ({ run, capability, forMs: since(sinceMs, nowMs) })),
    queue,
  });
}

function runFacts({ context, sinceMs }: ReturnType<RunningRuns['list']>[number], nowMs: number): RunFacts {
  const { run, agent, tenant, feature, lineage } = context.subject;
  return { run, agent, tenant, feature, lineage, task: context.claim?.task ?? null, forMs: since(sinceMs, nowMs) };
}

function callFacts({ call, aborted }: ReturnType<InFlight['list']>[number], nowMs: number): CallFacts {
  const { run, capability } = call.subject;
  const key = createHash('sha256').update(call.idempotencyKey, 'utf8').digest('hex').slice(0, 32);
  return { run, capability, key, forMs: since(call.startedMs, nowMs), aborted };
}

function since(sinceMs: number, nowMs: number): number {
  return Math.max(0, Math.round(nowMs - sinceMs));
}
