import { switchMatches } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import { indexOf } from '../checkers/index-of.ts';
import type { DrillIndex } from '../checkers/index-of.ts';
import type { DrillRecord } from '../drill/drill.ts';
import { LIMITS } from '../scenario/limits.ts';
import type { Scenario, TimelineEntry } from '../scenario/scenario.ts';
import { subjectOf } from '../traffic/in-scope.ts';

/**
 * The scenario of a run, its stops and releases no longer at times of the clock: each that came at a time since T0 comes
 * once so many effects in its scope have arrived as had arrived when it was asked for. What waits for exposure or counts
 * from another entry is anchored to events already. A stop that the fleet's own detectors ask for keeps its time, since the
 * effects of its runaways are not there before.
 */
export function anchorFlips(record: DrillRecord): { readonly scenario: Scenario; readonly anchored: number } {
  const index = indexOf(record);
  let flips = 0;
  let anchored = 0;
  const timeline = record.scenario.timeline.map((entry): TimelineEntry => {
    if (entry.kind !== 'flip' && entry.kind !== 'release') return entry;
    flips += 1;
    if (entry.when.kind !== 'start' || (entry.kind === 'flip' && entry.via === 'detector')) return entry;
    const count = arrivedBefore(index, flips, entry);
    if (count < LIMITS.effectCount.min || count > LIMITS.effectCount.max) return entry;
    anchored += 1;
    return { ...entry, when: { kind: 'effect', count, scope: entry.scope, target: entry.target } };
  });
  return { scenario: { ...record.scenario, timeline }, anchored };
}

/** Effects in scope of the n-th flip that had arrived for certain when it was asked for. */
function arrivedBefore({ flips, effects }: DrillIndex, nth: number, on: Switch): number {
  const requestNs = flips.find(({ flip }) => flip === nth)?.requestNs;
  if (requestNs === undefined) return 0;
  return effects.filter(({ t1, run, capability }) => t1 <= requestNs && switchMatches(on, subjectOf(run, capability)))
    .length;
}
