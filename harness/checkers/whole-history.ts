import type { DrillRecord } from '../drill/drill.ts';
import type { Finding } from './checker.ts';
import { indexOf } from './index-of.ts';
import { error, inconclusive } from './finding.ts';

/** For properties decided by what is absent: without the history's tail, or any traffic, absence proves nothing. */
export function needsWholeHistory(record: DrillRecord): Finding | null {
  if (!record.complete)
    return error("the history's tail is missing, so what is not in it may have happened all the same");
  if (indexOf(record).effects.length === 0) return inconclusive('traffic', 'no effect arrived in the world at all');
  return null;
}
