import { FLEET_DETECTOR } from '../conductor/drill-keys.ts';
import { acknowledged } from './alerts-of.ts';
import type { Finding } from './checker.ts';
import { inconclusive, pass } from './finding.ts';
import { endedAlone, endOf } from './fleet-notes.ts';
import { nameOf } from './flips-of.ts';
import type { DrillFlip } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { actionsOf } from './operator-of.ts';

/** Whether the timeline was carried out, with all receipts. A drill that did not do what it says shows nothing. */
export function wentAsPlanned(index: DrillIndex): Finding {
  return (
    gaveUp(index) ??
    missingWorkers(index) ??
    missingFaults(index) ??
    missingFlips(index) ??
    missingAlerts(index) ??
    missingActions(index) ??
    pass('the timeline was carried out, with all receipts')
  );
}

function gaveUp({ record }: DrillIndex): Finding | null {
  for (const event of record.events) {
    if (event.type !== 'conductor.gaveUp') continue;
    return inconclusive(event.missing, `the conductor gave up on ${event.what}`, {
      what: event.what,
      missing: event.missing,
    });
  }
  return null;
}

/** A worker that nobody had asked to end: a fleet of fewer is another drill. */
function missingWorkers(index: DrillIndex): Finding | null {
  const [first] = endedAlone(index);
  if (first === undefined) return null;
  const { worker, exit } = first;
  const evidence = { worker, code: exit?.code ?? null, signal: exit?.signal ?? null };
  return inconclusive('every worker up to the end of the drill', endOf(index, first), evidence);
}

function missingFaults({ faults, scenario }: DrillIndex): Finding | null {
  for (const { fault, kind, target, plane, missing, recovered } of faults) {
    const name = `${kind} of ${target}${plane === null ? '' : ` (${plane} plane)`}`;
    const absent = recovered ? missing : [...missing, 'fault.recovered'];
    // A fault that lasts until the end is undone after the drill, and a killed worker need not come back.
    const needed = absent.filter(
      (receipt) => receipt !== 'fault.recovered' || isTimed(scenario.timeline, kind, target),
    );
    const [first] = needed;
    if (first !== undefined)
      return inconclusive(`all receipts of the ${name}`, `'${first}' is missing`, {
        fault,
        kind,
        target,
        ...(plane === null ? {} : { plane }),
        missing: needed,
      });
  }
  const planned = scenario.timeline.filter((entry) => entry.kind === 'fault').length;
  if (faults.length >= planned) return null;
  return inconclusive('every planned fault', `${faults.length} of ${planned} were selected`, {
    planned,
    selected: faults.length,
  });
}

function isTimed(timeline: DrillIndex['scenario']['timeline'], kind: string, target: string): boolean {
  return timeline.some(
    (entry) =>
      entry.kind === 'fault' &&
      entry.fault === kind &&
      entry.target === target &&
      (entry.forMs !== null || entry.fault === 'restart'),
  );
}

/**
 * A release that is expected to be red is done once the store has answered, either way: what it answered is for its property.
 * Should it have been taken, then a later one finds nothing to close, and is refused for that.
 */
function missingFlips({ flips, scenario }: DrillIndex): Finding | null {
  const planned = scenario.timeline.filter(({ kind }) => kind === 'flip' || kind === 'release').length;
  const isDone = ({ answer, expected, kind, engagements }: DrillFlip, nth: number): boolean => {
    if (answer !== 'refused') return answer === 'acknowledged';
    const isEmpty = kind === 'release' && engagements.length === 0;
    return expected === 'refused' || (isEmpty && flips.slice(0, nth).some(isRedAndTaken));
  };
  const done = flips.filter(isDone).length;
  if (done >= planned) return null;
  const refused = flips.find(({ error, expected }) => error !== null && expected === 'taken');
  return inconclusive('every planned flip acknowledged', `${done} of ${planned} were`, {
    planned,
    acknowledged: done,
    ...(refused === undefined ? {} : { flip: refused.flip, scope: nameOf(refused.on), error: refused.error }),
  });
}

function isRedAndTaken({ answer, expected }: DrillFlip): boolean {
  return expected === 'refused' && answer === 'acknowledged';
}

/** The bus has to have taken what the timeline puts on it: what nobody published proves nothing. */
function missingAlerts({ alerts, scenario }: DrillIndex): Finding | null {
  const planned = scenario.timeline.reduce((sum, entry) => {
    if (entry.kind !== 'alerts') return sum;
    return sum + entry.count + entry.again + entry.stale + entry.poison;
  }, 0);
  const there = acknowledged(alerts).filter(
    ({ flip, detector }) => flip === null && detector !== FLEET_DETECTOR,
  ).length;
  if (there >= planned) return null;
  return inconclusive('every planned alert acknowledged', `${there} of ${planned} were`, {
    planned,
    acknowledged: there,
  });
}

function missingActions({ record, scenario }: DrillIndex): Finding | null {
  for (const kind of ['contract', 'resume', 'compensate'] as const) {
    const planned = scenario.timeline.filter((entry) => entry.kind === kind).length;
    const asked = actionsOf(record.events, kind);
    const undone = asked.find(({ answered }) => answered?.ok !== true);
    if (undone !== undefined) {
      const why = undone.answered === null ? 'nobody answered it' : `it was refused: ${undone.answered.error ?? ''}`;
      return inconclusive(`every ${kind} answered`, why, { action: undone.asked.action, kind });
    }
    // A compensation is asked for once for each entry that the ledger has.
    if (asked.length >= planned || (kind === 'compensate' && asked.length > 0)) continue;
    return inconclusive(`every planned ${kind}`, `${asked.length} of ${planned} were asked for`, { planned, kind });
  }
  return null;
}
