import type { DrillRecord } from '../drill/drill.ts';
import type { Finding } from './checker.ts';
import { noStop } from './exposure.ts';
import { firstWorst } from './first-worst.ts';
import type { Stop } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { needsWholeHistory } from './whole-history.ts';

/** Judges each stop of a drill by the drill's whole history; answers the worst finding, the first among equals. */
export function eachStop(record: DrillRecord, checkStop: (index: DrillIndex, stop: Stop) => Finding): Finding {
  const index = indexOf(record);
  const nothing = noStop(index) ?? needsWholeHistory(record);
  return nothing ?? firstWorst(index.stops.map((stop) => checkStop(index, stop)));
}
