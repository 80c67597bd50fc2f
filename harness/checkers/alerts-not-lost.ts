import type { Checker, Finding } from './checker.ts';
import { missingLetter, wrongLetter } from './alert-letters.ts';
import { heldUp, passedOver } from './alert-positions.ts';
import { missingRecord, wrongFlip, wrongRecord } from './alert-records.ts';
import { noTimeToRead } from './alert-witness.ts';
import { acknowledged } from './alerts-of.ts';
import type { DrillAlert } from './alerts-of.ts';
import { thingOf } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import { inconclusive, notApplicable, pass } from './finding.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { isByAlert } from '../scenario/by-alert.ts';
import { overlaps } from './span.ts';
import { needsWholeHistory } from './whole-history.ts';
import { journalWasRead } from './witness-of.ts';

/** What the bus acknowledged to a detector is on record, whatever happens to executors. */
export const alertsNotLost: Checker = {
  name: 'alerts_not_lost',
  claim:
    'Every alert that the bus acknowledged is on record: a sound one as one flip of the store with its content, a copy of it as a duplicate, poison with a dead letter too; nothing is on record that nobody published, and no position is passed without a record.',
  needs: 'alerts',
  check(record) {
    const index = indexOf(record);
    const nothing = noAlert(index) ?? needsWholeHistory(record);
    if (nothing !== null) return nothing;
    if (!journalWasRead(index)) return inconclusive('the store read at the end', "the record has no store's head");
    return wrong(index) ?? missing(index) ?? nothingInFlight(index) ?? allThere(index);
  },
};

function noAlert(index: DrillIndex): Finding | null {
  if (acknowledged(index.alerts).length > 0) return null;
  const isPlanned = index.scenario.timeline.some(
    (entry) => entry.kind === 'alerts' || (entry.kind === 'flip' && isByAlert(entry.via)),
  );
  if (!isPlanned && index.alerts.published.length === 0) return notApplicable('the drill publishes no alert');
  return inconclusive('an alert that the bus acknowledged', `of ${index.alerts.published.length} there was none`);
}

/** What no more time would mend. */
function wrong(index: DrillIndex): Finding | null {
  return wrongRecord(index) ?? wrongFlip(index) ?? wrongLetter(index);
}

/** What an executor may be about to do if it was given no time for it, unless the alert's place was passed already. */
function missing(index: DrillIndex): Finding | null {
  const lost = missingRecord(index) ?? missingLetter(index);
  const passed = passedOver(index);
  if (lost !== null && passed !== null) return { ...lost, evidence: { ...lost.evidence, passedOver: passed.evidence } };
  if (passed !== null) return passed;
  const found = lost ?? heldUp(index);
  return found === null ? null : (noTimeToRead(index) ?? found);
}

/** A fault on executors shows something only when an alert is on its way while it lasts, or is in the executor's hands when it comes. */
function nothingInFlight(index: DrillIndex): Finding | null {
  const faults = index.faults.filter((fault) => thingOf(fault) === 'executor');
  if (faults.length === 0 || faults.some((fault) => hadOneInFlight(index, fault))) return null;
  return inconclusive(
    'an alert in flight while an executor was down',
    'none was published while a fault on an executor lasted, and none had been read and not answered when it came',
    { faults: faults.map(({ kind, target }) => `${kind} of ${target}`) },
  );
}

function hadOneInFlight({ alerts, executorWords }: DrillIndex, fault: FaultWindow): boolean {
  const lasted = { fromNs: fault.injectedNs, toNs: fault.recoveryNs };
  const isMeanwhile = ({ publishedNs, acknowledgedNs }: DrillAlert): boolean =>
    overlaps(lasted, { fromNs: publishedNs, toNs: acknowledgedNs ?? publishedNs });
  if (fault.missing.includes('fault.injected')) return false;
  if (alerts.published.some(isMeanwhile)) return true;
  const before = executorWords.filter(({ executor, atNs }) => executor === fault.target && atNs <= fault.injectedNs);
  const answered = new Set(before.flatMap(({ word, flipId }) => (word === 'alert.answered' ? [flipId] : [])));
  return before.some(({ word, flipId }) => word === 'alert.read' && !answered.has(flipId));
}

function allThere(index: DrillIndex): Finding {
  const onBus = acknowledged(index.alerts);
  const of = (...kinds: readonly string[]): number => onBus.filter(({ kind }) => kinds.includes(kind)).length;
  const counts = {
    acknowledged: onBus.length,
    sound: of('sound'),
    again: of('again'),
    stale: of('stale'),
    poison: of('poison'),
  };
  const reason = `${onBus.length} alerts were acknowledged, and all of them are on record: ${counts.sound} as flips, ${counts.poison} as poison`;
  return pass(reason, counts);
}
