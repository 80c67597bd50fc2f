import { executorNames } from '../scenario/crew.ts';
import type { FlipEntry, ReleaseEntry, StopPath } from '../scenario/scenario.ts';
import { isOnPlane, isolates, takesStoreAway, thingOf } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import type { DrillFlip } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { overlaps } from './span.ts';
import type { Span } from './span.ts';

/** What the timeline says of the n-th flip of the drill, counted from 1; undefined when it has no such entry. */
export function plannedFlip({ scenario }: DrillIndex, nth: number): FlipEntry | ReleaseEntry | undefined {
  const planned = scenario.timeline.filter((entry) => entry.kind === 'flip' || entry.kind === 'release');
  return planned[nth - 1];
}

/** The way by which a stop was asked for; whose alert it was makes no difference. */
export function pathOf(index: DrillIndex, { flip }: DrillFlip): Exclude<StopPath, 'detector'> {
  if (index.alerts.published.some((alert) => alert.flip === flip)) return 'alert';
  const planned = plannedFlip(index, flip);
  if (planned?.kind !== 'flip') return 'postgres';
  return planned.via === 'detector' ? 'alert' : planned.via;
}

/**
 * Whether a declared fault on what a stop goes by may keep it from the store, or late: on the API, or, of a stop that an alert
 * asks for, on the bus or on executors. Where
 * PostgreSQL is the bus each executor reads everything, so that all of them have to be hit; Kafka gives a partition to one,
 * and nobody but Kafka knows to which.
 */
export function isAskedLate(index: DrillIndex, stop: DrillFlip, span: Span): boolean {
  const path = pathOf(index, stop);
  if (path === 'api') return index.faults.some((fault) => thingOf(fault) === 'api' && overlaps(fault, span));
  if (path !== 'alert') return false;
  const hits = index.faults.filter((fault) => overlaps(fault, span) && fault.plane !== 'registry');
  const isHit = (executor: string): boolean => hits.some(({ target }) => target === executor);
  const executors = executorNames(index.scenario.fleet);
  const everyoneReads = index.drill?.environment === 'embedded';
  const isOut = everyoneReads ? executors.length > 0 && executors.every(isHit) : executors.some(isHit);
  return isOut || hits.some((fault) => thingOf(fault) === 'kafka');
}

/** A way to a stop that declared faults had shut, and which those are. */
export interface ShutPath {
  /** For a sentence: "the alert path". */
  readonly name: string;
  readonly faults: readonly FaultWindow[];
}

/**
 * The ways other than its own that were shut from a stop's request until it was durable, by faults that began before and
 * ended after. For the operator's stop that is the path of alerts (the bus, or every executor, or of every executor the
 * connections to the bus, or both of those to the store), and the API, unless it goes by that. For a stop by file it is the
 * registry plane of every worker. For an alert's it is one of the two ways from executors to the
 * store: their own statement (control plane), or the relay of their feed (registry plane).
 */
export function shutPaths(index: DrillIndex, stop: DrillFlip, until: number): readonly ShutPath[] {
  const executors = executorNames(index.scenario.fleet);
  const isThroughout = ({ injectedNs, recoveryNs }: FaultWindow): boolean =>
    injectedNs <= stop.requestNs && recoveryNs >= until;
  const faults = index.faults.filter((fault) => isThroughout(fault) && !fault.missing.includes('fault.injected'));
  const onAll = (isShut: (executor: string) => readonly FaultWindow[]): readonly FaultWindow[] => {
    const found = executors.map(isShut);
    return found.some((of) => of.length === 0) ? [] : found.flat();
  };
  const cutOf = (executor: string, plane: FaultWindow['plane']): readonly FaultWindow[] =>
    faults.filter((fault) => fault.target === executor && isolates(fault) && fault.plane === plane);
  if (pathOf(index, stop) === 'file') {
    const cuts = index.workers.map((worker) => cutOf(worker, 'registry'));
    const isShut = cuts.length > 0 && cuts.every((of) => of.length > 0);
    return isShut ? [{ name: "the store's word to every worker", faults: cuts.flat() }] : [];
  }
  if (pathOf(index, stop) === 'alert') {
    const control = { name: "executors' own statement", faults: onAll((executor) => cutOf(executor, 'control')) };
    const relay = { name: "the relay of executors' feeds", faults: onAll((executor) => cutOf(executor, 'registry')) };
    return [control, relay].filter((path) => path.faults.length > 0);
  }
  const bus = faults.filter((fault) => thingOf(fault) === 'kafka' && executors.length > 0);
  const out = onAll((executor) => {
    const toStore = [cutOf(executor, 'control'), cutOf(executor, 'registry')];
    const isCutOff = toStore.every((cuts) => cuts.length > 0);
    return [...downOf(faults, executor), ...cutOf(executor, 'alerts'), ...(isCutOff ? toStore.flat() : [])];
  });
  const alertPath = { name: 'the alert path', faults: [...bus, ...out] };
  const api = { name: 'the API', faults: pathOf(index, stop) === 'api' ? [] : faults.filter(shutsApi) };
  return [alertPath, api].filter((path) => path.faults.length > 0);
}

function shutsApi(fault: FaultWindow): boolean {
  return thingOf(fault) === 'api' && (isolates(fault) || !isOnPlane(fault));
}

function downOf(faults: readonly FaultWindow[], executor: string): readonly FaultWindow[] {
  return faults.filter((fault) => fault.target === executor && !isOnPlane(fault));
}

/** Whether the store itself was away around a stop: then leases stop the fleet, and no path is shown. */
export function wasStoreAway(index: DrillIndex, span: Span): boolean {
  return index.faults.some((fault) => takesStoreAway(fault) && overlaps(fault, span));
}
