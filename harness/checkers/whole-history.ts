import type { DrillRecord } from '../drill/drill.ts';
import type { Finding } from './checker.ts';
import { indexOf } from './index-of.ts';
import { inconclusive } from './finding.ts';

/**
 * What a record without its end owes to any property: it was cut (its harness was killed), which accuses nobody. Null for one
 * that is whole.
 */
export function missingTail(record: DrillRecord): Finding | null {
  if (record.complete) return null;
  return inconclusive('a whole record', 'the run was cut short, and what came after the last event may be anything');
}

/** For properties decided by what is absent: without the history's tail, or any traffic, absence proves nothing. */
export function needsWholeHistory(record: DrillRecord): Finding | null {
  const missing = missingTail(record);
  if (missing !== null) return missing;
  if (indexOf(record).effects.length === 0) return inconclusive('traffic', 'no effect arrived in the world at all');
  return null;
}
