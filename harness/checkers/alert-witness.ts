import type { AlertFacts } from '../history/event.ts';
import type { DrillAlert } from './alerts-of.ts';
import type { Finding } from './checker.ts';
import { isolates, thingOf } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import { inconclusive } from './finding.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, overlaps } from './span.ts';
import { executorNames } from '../scenario/crew.ts';

/** A fault this close to an alert's way onto the bus is named beside it. */
const AROUND_NS = 1000 * NS_PER_MS;

/** The evidence that one alert is: when it was sent, what was broken then, and what the store has of it. */
export function alertEvidence(index: DrillIndex, alert: DrillAlert): Finding['evidence'] {
  const { publishedNs, acknowledgedNs, scope, target } = alert;
  const around = { fromNs: publishedNs - AROUND_NS, toNs: (acknowledgedNs ?? publishedNs) + AROUND_NS };
  return {
    alert: alert.alert,
    kind: alert.kind,
    alertId: alert.id,
    scope: scope === null ? null : `${scope}:${target ?? ''}`,
    content: alert.content,
    publishedAtMs: sinceT0(index, publishedNs),
    acknowledgedAtMs: acknowledgedNs === null ? null : sinceT0(index, acknowledgedNs),
    faults: index.faults.filter((fault) => onAlertsWay(fault) && overlaps(fault, around)).map((fault) => nameOf(fault)),
    store: storeSays(index, alert),
  };
}

function nameOf({ kind, target, plane }: FaultWindow): string {
  return `${kind} of ${target}${plane === null ? '' : ` (${plane})`}`;
}

/** Whether a fault is on something that an alert passes on its way to the store. */
function onAlertsWay(fault: FaultWindow): boolean {
  return thingOf(fault) !== 'worker';
}

function storeSays({ alerts, engagements }: DrillIndex, { content, flipId }: AlertFacts): readonly string[] {
  const records = alerts.recordsOf.get(content) ?? [];
  const flip = engagements.find(({ id }) => id === flipId);
  return [
    ...records.map(({ kind, partition, position }) => `${kind} at ${partition}/${position}`),
    ...(flip === undefined ? [] : [`flip at revision ${flip.revision}`]),
  ];
}

/** Whether no alert gets any further for as long as the fault lasts; an executor that hears of no flips works on. */
function keepsFromWork(fault: FaultWindow): boolean {
  const { kind, plane } = fault;
  return kind === 'kill' || kind === 'restart' || kind === 'pause' || (isolates(fault) && plane !== 'registry');
}

/** An executor that could do its work for less than this before the end may not have got to everything. */
const TO_CATCH_UP_MS = 5_000;

/**
 * What excuses that something acknowledged is not on record: declared faults have kept every executor, the bus or the store
 * from their work until shortly before the end. Null when nothing does; an executor that ended by itself is no excuse.
 */
export function noTimeToRead(index: DrillIndex): Finding | null {
  const wellAgain = (target: string): number =>
    Math.max(
      0,
      ...index.faults.filter((fault) => fault.target === target && keepsFromWork(fault)).map(({ toNs }) => toNs),
    );
  const executors = executorNames(index.scenario.fleet);
  const firstReader = executors.length === 0 ? 0 : Math.min(...executors.map(wellAgain));
  const readingNs = Math.max(firstReader, wellAgain('kafka'), wellAgain('postgres'));
  const leftMs = Math.round((index.arrivalsEndNs - readingNs) / NS_PER_MS);
  if (readingNs === 0 || leftMs >= TO_CATCH_UP_MS) return null;
  return inconclusive(
    `an executor at work for ${TO_CATCH_UP_MS} ms before the end`,
    `declared faults left it ${Math.max(0, leftMs)} ms`,
    { leftMs },
  );
}
