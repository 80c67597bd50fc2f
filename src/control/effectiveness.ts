import { DEFAULT_LEASE } from '../lease.ts';
import type { Inventory, OpenIntent, RegisteredWorker, StopFacts } from '../store/effectiveness-port.ts';

/** How one life of a worker stands to a stop. */
export interface WorkerStanding {
  readonly worker: string;
  readonly incarnation: string;
  readonly state: 'confirmed' | 'fenced' | 'unconfirmed';
  /** One clause: what that rests on. */
  readonly why: string;
}

/** How far a stop has come, as an observer may say it. */
export interface StopState {
  readonly id: string;
  readonly revision: number;
  /** `closed`: it was released; there is nothing left to become effective. */
  readonly state: 'effective' | 'pending' | 'closed';
  readonly workers: readonly WorkerStanding[];
  /** What keeps it from being called effective, a sentence each; empty when it is. */
  readonly missing: readonly string[];
  /** Open intents in scope past their deadline: they wait for an outcome, or for an operator to close them. */
  readonly unaccounted: readonly OpenIntent[];
  /** What an `effective` does not speak of. */
  readonly excepted: string;
}

/** What the observer knows besides the store's facts. */
export interface Observed {
  /** The observer's monotonic clock when it first saw the flip durable. */
  readonly durableSeenMs: number;
  /** The same clock when the facts were asked for, so that what they say is at least as new. */
  readonly askedMs: number;
}

/** A lease, and how far two machines' clocks may run apart within one (DESIGN §3.13). */
const CLOCK_MARGIN = 1.25;
/** A worker that lives renews its report every lease; one that has not for so many is silent. */
const SILENT_LEASES = 5;
export const JOURNAL_FREE_READS = 'journal-free reads excepted: a process suspended inside one cannot be seen';

/**
 * Whether a stop is effective (DESIGN §3.13): every life of the declared inventory has confirmed it, or is fenced with
 * nothing open in scope; and whoever is not listed has had the time after which nobody can be sending any more.
 *
 * Pure, and careful: what the facts do not show counts against it.
 */
export function stopState(facts: StopFacts, observed: Observed): StopState {
  const workers = facts.workers.map((worker) => standingOf(worker, facts, observed));
  const closed = facts.stop.closedRevision !== null;
  const missing = closed ? [] : missingOf(facts, workers, observed);
  return {
    id: facts.stop.id,
    revision: facts.stop.revision,
    state: closed ? 'closed' : missing.length === 0 ? 'effective' : 'pending',
    workers,
    missing,
    unaccounted: closed ? [] : facts.openIntents.filter(({ isPastDeadline }) => isPastDeadline),
    excepted: JOURNAL_FREE_READS,
  };
}

function standingOf(registered: RegisteredWorker, facts: StopFacts, observed: Observed): WorkerStanding {
  const { worker, incarnation } = registered;
  const said = (state: WorkerStanding['state'], why: string): WorkerStanding => ({ worker, incarnation, state, why });
  const unconfirmedWhy = whyNotConfirmed(registered, facts.stop);
  if (unconfirmedWhy === null) {
    return said('confirmed', `at revision ${registered.appliedThrough}, nothing open in scope`);
  }
  if (isBusyNow(registered, facts.stop)) return said('unconfirmed', unconfirmedWhy);
  if (facts.stop.drains) return said('unconfirmed', `${unconfirmedWhy}; a drain ends by its own word only`);
  const restMs = CLOCK_MARGIN * longestLeaseMs(facts) - elapsedMs(observed);
  if (restMs > 0) return said('unconfirmed', `${unconfirmedWhy}; fenced in ${seconds(restMs)}`);
  const open = facts.openIntents.filter((intent) => intent.incarnation === incarnation).length;
  const unread = facts.unread.includes(incarnation) ? ', its journal is still being looked through' : '';
  return said('fenced', `its lease is over, ${open === 0 ? 'no' : open} open in scope${unread}; ${unconfirmedWhy}`);
}

/** Whether nothing was heard of it for so long that it may be gone. */
export function isSilent({ reportedAgoMs, leaseMs }: RegisteredWorker): boolean {
  return reportedAgoMs === null || reportedAgoMs > SILENT_LEASES * leaseMs;
}

/** It lives, and says itself that something is open: that may be a read which no journal shows. */
function isBusyNow(worker: RegisteredWorker, stop: StopFacts['stop']): boolean {
  const { appliedThrough, busy } = worker;
  if (isSilent(worker)) return false;
  return appliedThrough !== null && appliedThrough >= stop.revision && (busy === null || busy.includes(stop.id));
}

/** Null when one report, made in one tick, says that it has the stop and nothing in scope is open. */
function whyNotConfirmed(
  { appliedThrough, busy, reportedAgoMs }: RegisteredWorker,
  stop: StopFacts['stop'],
): string | null {
  if (reportedAgoMs === null) return 'it has not reported yet';
  if (appliedThrough === null) return 'its registry stands on another history';
  if (appliedThrough < stop.revision) return `its last report is of revision ${appliedThrough}`;
  if (busy === null) return 'it is busy in scope of more stops than it can name';
  return busy.includes(stop.id) ? 'calls in scope are open' : null;
}

function missingOf(facts: StopFacts, workers: readonly WorkerStanding[], observed: Observed): readonly string[] {
  const unconfirmed = workers.filter(({ state }) => state === 'unconfirmed');
  return [
    ...unconfirmed.map(({ worker, why }) => `${worker}: ${why}`),
    ...inventoryGaps(facts),
    ...openGaps(facts),
    ...othersGap(facts, workers, observed),
  ];
}

function inventoryGaps({ inventory, workers, elsewhere }: StopFacts): readonly string[] {
  if (inventory === null) return ['no inventory is declared, so that nobody knows who should be here'];
  const pools = Object.entries(inventory.pools);
  if (pools.length === 0) return ['the declared inventory is empty'];
  const short = pools.flatMap(([pool, count]) => {
    const here = new Set(workers.filter((one) => one.pool === pool).map(({ worker }) => worker)).size;
    return here >= count ? [] : [`pool '${pool}' has ${here} of ${count} workers`];
  });
  const strays = elsewhere
    .filter(({ pool }) => Object.hasOwn(inventory.pools, pool))
    .map(({ worker, namespace }) => `${worker} is of namespace '${namespace}'`);
  return [...short, ...strays];
}

/** Also of lives that never registered; those that confirmed are not among them. */
function openGaps({ openIntents, unread }: StopFacts): readonly string[] {
  const past = openIntents.filter(({ isPastDeadline }) => isPastDeadline).length;
  const within = openIntents.length - past;
  return [
    ...(within === 0 ? [] : [`${within} effects in scope are open within their deadlines`]),
    ...(past === 0 ? [] : [`${past} effects in scope are past their deadlines without an outcome: unaccounted`]),
    ...unread.map((incarnation) => `the journal of ${incarnation} is still being looked through`),
  ];
}

function othersGap(facts: StopFacts, workers: readonly WorkerStanding[], observed: Observed): readonly string[] {
  if (
    facts.inventory?.closed === true &&
    workers.every(({ state }) => state === 'confirmed') &&
    listsAll(facts, facts.inventory)
  ) {
    return [];
  }
  const deadlines = [
    ...facts.workers.map((one) => one.longestDeadlineMs),
    ...facts.openIntents.map((one) => one.deadlineMs),
  ];
  const restMs = CLOCK_MARGIN * (longestLeaseMs(facts) + Math.max(0, ...deadlines)) - elapsedMs(observed);
  return restMs > 0 ? [`processes that are not listed have ${seconds(restMs)} left`] : [];
}

/** A life in a pool that nobody declared says that the inventory is not the whole of it. */
function listsAll({ workers }: StopFacts, { pools }: Inventory): boolean {
  return workers.every(({ pool }) => Object.hasOwn(pools, pool));
}

/** A worker that never registered may have any of the leases that are known here. */
function longestLeaseMs({ workers }: StopFacts): number {
  return Math.max(DEFAULT_LEASE.leaseMs, ...workers.map(({ leaseMs }) => leaseMs));
}

function elapsedMs({ durableSeenMs, askedMs }: Observed): number {
  return askedMs - durableSeenMs;
}

function seconds(ms: number): string {
  return `${(Math.ceil(ms / 100) / 10).toFixed(1)} s`;
}
