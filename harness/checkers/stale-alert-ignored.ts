import { alertEvidence, noTimeToRead } from './alert-witness.ts';
import { acknowledged, alertName } from './alerts-of.ts';
import type { AcknowledgedAlert, DrillAlert } from './alerts-of.ts';
import type { Checker, Finding } from './checker.ts';
import type { StoreEngagement } from './engagements-of.ts';
import { takesStoreAway, thingOf } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { storeNsOf } from './store-time.ts';
import { needsWholeHistory } from './whole-history.ts';
import { journalWasRead } from './witness-of.ts';

/** What a release has overtaken stops nobody again. */
export const staleAlertIgnored: Checker = {
  name: 'stale_alert_ignored',
  claim:
    'Every acknowledged alert whose detector had not seen the release of what it asks for is on record as stale, and opens no engagement; in doubt, with the store or the way to it out of order, a trip is no fault.',
  needs: 'alerts',
  check(record) {
    const index = indexOf(record);
    const stale = index.alerts.published.filter(({ kind }) => kind === 'stale');
    const isPlanned = index.scenario.timeline.some((entry) => entry.kind === 'alerts' && entry.stale > 0);
    if (stale.length === 0 && !isPlanned) return notApplicable('the drill publishes no stale alert');
    const nothing = needsWholeHistory(record);
    if (nothing !== null) return nothing;
    if (!journalWasRead(index)) return inconclusive('the store read at the end', "the record has no store's head");
    const tripped = firstWorst(
      stale.flatMap((alert) => trippedBy(index, alert) ?? []),
      NOTHING,
    );
    return tripped === NOTHING ? checkRecords(index) : tripped;
  },
};

const NOTHING = notApplicable('no stale alert tripped');

function checkRecords(index: DrillIndex): Finding {
  const stale = acknowledged(index.alerts).filter(({ kind }) => kind === 'stale');
  const [first] = stale;
  if (first === undefined) return inconclusive('a stale alert that the bus acknowledged', 'there was none');
  return firstWorst(
    stale.map((alert) => misrecorded(index, alert) ?? notOvertaken(index, alert)).filter((found) => found !== null),
    pass(`${stale.length} stale alerts are on record as such, and none of them opened an engagement`, {
      stale: stale.length,
      scope: first.scope === null ? null : `${first.scope}:${first.target ?? ''}`,
    }),
  );
}

function trippedBy(index: DrillIndex, alert: DrillAlert): Finding | null {
  const engagement = index.engagements.find(({ id }) => id === alert.flipId);
  if (engagement === undefined) return null;
  const evidence = { ...alertEvidence(index, alert), revision: engagement.revision };
  const doubt = inDoubt(index, alert, engagement);
  const tripped = `${alertName(alert)} opened an engagement at revision ${engagement.revision}`;
  if (doubt === null) return fail(`${tripped}, so that ${nameOf(engagement.on)} was stopped again`, evidence);
  const what = 'a store that answered while the stale alert was read';
  return inconclusive(what, `${tripped}, and the ${doubt.kind} of ${doubt.target} let it`, evidence);
}

/**
 * The fault in whose time a stale alert may trip: while an executor's calls to the store fail, or when it ends, what it holds
 * is offered as an ordinary stop, by somebody who cannot know what is stale (docs/decisions/0008). One that is killed holds
 * nothing any more. Null when there is none.
 */
export function inDoubt(index: DrillIndex, alert: DrillAlert, { atNs }: StoreEngagement): FaultWindow | null {
  const mayHinder = (fault: FaultWindow): boolean =>
    takesStoreAway(fault) || (thingOf(fault) === 'executor' && fault.kind !== 'kill' && fault.plane !== 'alerts');
  const fromNs = storeNsOf(index, alert.publishedNs) ?? Number.NEGATIVE_INFINITY;
  const isMeanwhile = (fault: FaultWindow): boolean =>
    (storeNsOf(index, fault.toNs) ?? Number.POSITIVE_INFINITY) >= fromNs &&
    (storeNsOf(index, fault.fromNs) ?? Number.NEGATIVE_INFINITY) <= atNs;
  return index.faults.find((fault) => mayHinder(fault) && isMeanwhile(fault)) ?? null;
}

function misrecorded(index: DrillIndex, alert: AcknowledgedAlert): Finding | null {
  const records = index.alerts.recordsOf.get(alert.content) ?? [];
  if (records.length === 0) {
    const lost = fail(`${alertName(alert)} was acknowledged, and is not on record`, alertEvidence(index, alert));
    return noTimeToRead(index) ?? lost;
  }
  const other = records.find(({ kind }) => kind !== 'stale');
  if (other === undefined) return null;
  return fail(`${alertName(alert)} is on record as ${other.kind}, not as stale`, alertEvidence(index, alert));
}

/** It is stale only if a stop that the same detector asked for, on the same switch, was closed again. */
function notOvertaken(index: DrillIndex, alert: AcknowledgedAlert): Finding | null {
  const asked = new Set(
    index.alerts.published.flatMap(({ kind, detector, flipId }) =>
      kind === 'sound' && detector === alert.detector && flipId !== null ? [flipId] : [],
    ),
  );
  const isClosed = ({ id, on, closedRevision }: StoreEngagement): boolean =>
    asked.has(id) && on.scope === alert.scope && on.target === alert.target && Number.isFinite(closedRevision);
  if (index.engagements.some(isClosed)) return null;
  return inconclusive(
    'a release of what the stale alert asks for',
    `no stop of an alert on ${alert.scope ?? ''}:${alert.target ?? ''} was closed`,
    alertEvidence(index, alert),
  );
}
