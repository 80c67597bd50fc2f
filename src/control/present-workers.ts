import type { FleetFacts, RegisteredWorker } from '../store/effectiveness-port.ts';

/** A worker reports once a lease at least; past several of them its gate has refused everything for long. */
const GONE_AFTER_LEASES = 4;
const GONE_GRACE_MS = 1_000;

/**
 * Whether nobody has heard of this life of a worker for four leases and a second: no report, and no intent let in. Its
 * lease is certainly over, so that it may begin nothing; should it live after all (stopped, or cut off), it refuses
 * everything until it has asked the store and applied what it missed, and then it reports, and is not gone any more.
 */
export function isGone({ reportedAgoMs, registeredAgoMs, admittedAgoMs, leaseMs }: RegisteredWorker): boolean {
  const heardAgoMs = Math.min(reportedAgoMs ?? registeredAgoMs, admittedAgoMs ?? Number.POSITIVE_INFINITY);
  return heardAgoMs > GONE_AFTER_LEASES * leaseMs + GONE_GRACE_MS;
}

/** Names of workers of which every life is gone: one that was started anew is there. */
export function goneWorkers(workers: readonly RegisteredWorker[]): readonly string[] {
  const here = new Set(workers.filter((one) => !isGone(one)).map(({ worker }) => worker));
  return [...new Set(workers.map(({ worker }) => worker))].filter((worker) => !here.has(worker));
}

/** Pools that have fewer workers than the declared inventory says, those that are gone not counted; a clause for each. */
export function shortPools({ workers, inventory }: Pick<FleetFacts, 'workers' | 'inventory'>): readonly string[] {
  if (inventory === null) return [];
  const there = workers.filter((one) => !isGone(one));
  return Object.entries(inventory.pools).flatMap(([pool, count]) => {
    const here = new Set(there.filter((one) => one.pool === pool).map(({ worker }) => worker)).size;
    return here >= count ? [] : [`pool '${pool}' has ${here} of ${count} workers`];
  });
}
