import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { engagementOfStop, missingQueue, queueAtStop } from './queue-of.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { storeNsOf } from './store-time.ts';
import { changeBy, endState } from './tasks-of.ts';
import type { QueueCounts, QueueSnapshots } from './verdict-file.ts';

/** How long after a stop the second snapshot is taken, milliseconds. */
export const SNAPSHOT_MS = 60_000;

/**
 * What became of the tasks in scope of a stop that had not ended when it came, so that each column sums up to the same: at
 * the stop by the store's order, 60 s after it by the store's clock, at the end. Null when the queue was not witnessed.
 */
export function queueSnapshots(index: DrillIndex, stop: Stop): QueueSnapshots | null {
  const engagement = engagementOfStop(index, stop);
  if (engagement === null || missingQueue(index) !== null) return null;
  const queue = queueAtStop(index, stop);
  const heldMs = heldForMs(index, stop);
  const snapshotNs = engagement.atNs + SNAPSHOT_MS * NS_PER_MS;
  const isEstablished = heldMs >= SNAPSHOT_MS;
  return {
    atStop: counted(queue.map(({ was }) => was.to)),
    at60s: isEstablished ? counted(queue.map(({ task }) => changeBy(task, snapshotNs)?.to ?? null)) : null,
    at60sMissing: isEstablished ? null : `not established: the stop lasted ${(heldMs / 1000).toFixed(1)} s`,
    atEnd: counted(queue.map(({ task }) => endState(task))),
  };
}

/** How long a stop was on: until its release was asked for, or arrivals ended. Milliseconds. */
export function heldForMs(index: DrillIndex, { durableNs, releaseNs }: Stop): number {
  return toMs((releaseNs ?? index.arrivalsEndNs) - durableNs);
}

/** When a stop ended by the store's clock: its release, or the end of arrivals; infinite when nobody knows. */
export function endedNs(index: DrillIndex, stop: Stop): number {
  const closedNs = engagementOfStop(index, stop)?.closedAtNs ?? Number.POSITIVE_INFINITY;
  return Math.min(closedNs, storeNsOf(index, index.arrivalsEndNs) ?? Number.POSITIVE_INFINITY);
}

function counted(states: readonly (string | null)[]): QueueCounts {
  const count = (state: string): number => states.filter((one) => one === state).length;
  return {
    waiting: count('queued'),
    running: count('running'),
    parked: count('parked'),
    discarded: count('discarded'),
    done: count('done'),
    failed: count('failed'),
    unknown: count('unknown'),
    gone: states.filter((state) => state === null).length,
  };
}
