import { DRILL_TIMES } from '../drill/drill.ts';
import type { FaultEntry, Scenario, TimelineEntry } from './scenario.ts';

/** Traffic goes on for a while, should the drill's entries take longer than planned. */
const MARGIN_MS = 5_000;
/** A flip that goes by an alert, a file or the API waits for a process that may have to come back first. */
const PROCESS_MS = { alert: 5_000, detector: 5_000, file: 5_000, api: 3_000, postgres: 0 } as const;

/**
 * The latest that a drill's traffic is expected to end, milliseconds after T0: as if the wait for exposure were given up at
 * the last moment and nothing of the timeline overlapped.
 */
export function drillEndMs(scenario: Scenario): number {
  const sum = { previous: 0, start: 0, flip: 0, effects: 0, faults: 0, alerts: 0, processes: 0, waits: 0 };
  for (const [nth, entry] of scenario.timeline.entries()) {
    const { when } = entry;
    if (when.kind === 'previous') sum.previous += when.offsetMs;
    if (when.kind === 'start') sum.start = Math.max(sum.start, when.offsetMs);
    if (when.kind === 'flip') sum.flip = Math.max(sum.flip, when.offsetMs);
    if (when.kind === 'effect') sum.effects += DRILL_TIMES.effectGiveUpMs;
    if (entry.kind === 'alerts') sum.alerts += entry.overMs;
    if (entry.kind === 'flip' || entry.kind === 'release') sum.processes += PROCESS_MS[entry.via];
    // It waits within the hold; what is longer comes on top.
    if (entry.kind === 'flip') sum.waits += Math.max(0, (entry.effectiveWithinMs ?? 0) - scenario.holdMs);
    if (entry.kind === 'fault' && !isSameIncident(scenario.timeline[nth - 1], entry)) sum.faults += entry.forMs ?? 0;
  }
  const timelineMs = DRILL_TIMES.exposedGiveUpMs + Object.values(sum).reduce((total, ms) => total + ms, 0);
  return scenario.steadyState.forMs + timelineMs + scenario.holdMs + scenario.settleMs + MARGIN_MS;
}

/** Faults that begin together and last equally long are one incident: nobody waits for them one after another. */
function isSameIncident(before: TimelineEntry | undefined, { when, forMs }: FaultEntry): boolean {
  const together = when.kind === 'previous' && when.offsetMs === 0;
  return together && before?.kind === 'fault' && before.forMs === forMs;
}

/** Effects that the drill's traffic plans, primed runs apart. */
export function plannedEffects(scenario: Scenario): number {
  return Math.round((scenario.traffic.effectsPerSecond * drillEndMs(scenario)) / 1_000);
}
