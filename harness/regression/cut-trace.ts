import { indexOf } from '../checkers/index-of.ts';
import { toMs } from '../checkers/span.ts';
import type { DrillRecord } from '../drill/drill.ts';
import { DRILL_TIMES } from '../drill/drill.ts';
import type { Trace } from '../traffic/trace.ts';

/**
 * The trace without the runs that would not become due: a drawn one goes on for as long as the drill might have taken at
 * most. What is left lasts so much longer than the run did as its wait for exposure may take at most.
 */
export function cutTrace(record: DrillRecord): Trace {
  const { arrivalsEndNs, trafficNs } = indexOf(record);
  const lastMs = toMs(arrivalsEndNs - trafficNs) + DRILL_TIMES.exposedGiveUpMs;
  const { header, runs } = record.trace;
  const kept = runs.filter(({ dueMs }) => dueMs <= lastMs);
  return { header: { ...header, generator: { ...header.generator, runs: kept.length } }, runs: kept };
}
