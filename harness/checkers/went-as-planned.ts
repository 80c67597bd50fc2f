import type { Finding } from './checker.ts';
import { inconclusive, pass } from './finding.ts';
import type { DrillIndex } from './index-of.ts';

/** Whether the timeline was carried out, with all receipts. A drill that did not do what it says shows nothing. */
export function wentAsPlanned(index: DrillIndex): Finding {
  return (
    gaveUp(index) ??
    missingFaults(index) ??
    missingFlips(index) ??
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

function missingFaults({ faults, scenario }: DrillIndex): Finding | null {
  for (const { fault, kind, target, missing, recovered } of faults) {
    const name = `${kind} of ${target}`;
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

function missingFlips({ flips, scenario }: DrillIndex): Finding | null {
  const planned = scenario.timeline.filter(({ kind }) => kind !== 'fault').length;
  const acknowledged = flips.filter(({ answer }) => answer === 'acknowledged').length;
  if (acknowledged >= planned) return null;
  return inconclusive('every planned flip acknowledged', `${acknowledged} of ${planned} were`, {
    planned,
    acknowledged,
  });
}
