import type { Finding } from './checker.ts';
import { stopEvidence } from './exposure.ts';
import { fail } from './finding.ts';
import { mayHitWorkers } from './faults-of.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { drainOverNs, engagementOfStop, mayHalt } from './queue-of.ts';
import type { QueuedAtStop } from './queue-of.ts';
import { endedNs } from './queue-snapshot.ts';
import { NS_PER_MS, overlaps, toMs } from './span.ts';
import type { Span } from './span.ts';
import { storeNsOf } from './store-time.ts';
import { changeBefore, endState, taskEvidence, taskName } from './tasks-of.ts';
import type { WitnessedTask } from './tasks-of.ts';
import { died } from './workers-of.ts';

/** A sweep that any process finishes has treated a drill's queue by then. */
const SWEPT_NS = 3000 * NS_PER_MS;

/** A task that waited at a stop, and that its sweep has left waiting; null when it was treated, or had no time to be. */
export function untreated(index: DrillIndex, stop: Stop, { task }: QueuedAtStop): Finding | null {
  const engagement = engagementOfStop(index, stop);
  if (engagement === null) return null;
  const fromNs = drainOverNs(engagement) ?? engagement.atNs;
  if (endedNs(index, stop) - fromNs < SWEPT_NS || isDisturbed(index, stop)) return null;
  const last = changeBefore(task, engagement.closedRevision);
  if (last?.to !== 'queued') return null;
  const held = Math.round(toMs(endedNs(index, stop) - fromNs));
  const reason = `${taskName(task)} waited at the stop of ${nameOf(stop.on)} and still waited ${held} ms later; by '${engagement.queue}' it is ${TREATED[engagement.queue]}`;
  return fail(reason, { ...stopEvidence(stop), ...taskEvidence(task), policy: engagement.queue });
}

const TREATED = { discard: 'discarded', park: 'parked', drain: 'parked once the drain is over' } as const;

function isDisturbed(index: DrillIndex, { requestNs, releaseNs }: Stop): boolean {
  const on = { fromNs: requestNs, toNs: releaseNs ?? index.endNs };
  return index.faults.some((fault) => mayHitWorkers(fault) && overlaps(fault, on));
}

/** A task that is parked at the end, long after the last stop that covered it was released; null when there is none. */
export function notRestored(index: DrillIndex): Finding | null {
  const endNs = storeNsOf(index, index.arrivalsEndNs);
  if (endNs === null) return null;
  for (const task of index.tasks.values()) {
    if (endState(task) !== 'parked') continue;
    const covering = index.engagements.filter((engagement) => mayHalt(index, engagement, task));
    const freeNs = Math.max(...covering.map(({ closedAtNs }) => closedAtNs), task.changes.at(-1)?.t0 ?? 0);
    if (endNs - freeNs < SWEPT_NS || wasDisturbedSince(index, freeNs)) continue;
    const waited = Math.round(toMs(endNs - freeNs));
    return fail(`${taskName(task)} is still parked, ${waited} ms after the last stop that covered it was released`, {
      ...taskEvidence(task),
      releasedRevisions: covering.map(({ closedRevision }) => closedRevision),
    });
  }
  return null;
}

function wasDisturbedSince(index: DrillIndex, storeNs: number): boolean {
  return index.faults
    .filter(mayHitWorkers)
    .some((fault) => (storeNsOf(index, fault.toNs) ?? Number.POSITIVE_INFINITY) > storeNs);
}

/** A claim that a killed worker held is over only after its time. */
const CLAIM_NS = 15_000 * NS_PER_MS;

/** From the end of the arrivals on: what the fleet has to come to its end in. */
export function ending({ arrivalsEndNs, endNs }: DrillIndex): Span {
  return { fromNs: arrivalsEndNs, toNs: endNs };
}

/** A task that is running at the end, when nobody is there to run it; null when there is none. */
export function leftRunning(index: DrillIndex): Finding | null {
  for (const task of index.tasks.values()) {
    if (endState(task) !== 'running' || isOfTheDead(index, task)) continue;
    return fail(`${taskName(task)} is running at the end, and the fleet has ended`, taskEvidence(task));
  }
  return null;
}

/** Whether it may have been claimed by a worker that was killed so late that its claim is not over yet. */
function isOfTheDead(index: DrillIndex, { changes }: WitnessedTask): boolean {
  const claimedNs = changes.findLast(({ to }) => to === 'running')?.t0;
  if (claimedNs === undefined) return false;
  return [...index.incarnations.values()].some((life) => {
    const diedNs = life.exit === null || !died(life) ? null : storeNsOf(index, life.exit.t1);
    const endNs = storeNsOf(index, index.endNs);
    return diedNs !== null && endNs !== null && claimedNs <= diedNs && endNs - diedNs < CLAIM_NS;
  });
}
