import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';

/** Up to where a record goes that was cut, in words; nothing for one that is whole. */
export function cutNotes(index: DrillIndex): readonly string[] {
  if (index.record.complete) return [];
  const [phase] = [...index.phases].findLast(([, atNs]) => atNs <= index.endNs) ?? ['start'];
  const afterS = (sinceT0(index, index.endNs) / 1_000).toFixed(1);
  const where = index.phases.has('traffic')
    ? `${afterS} s after traffic began, in the phase ${phase}`
    : 'before traffic began';
  return [`The record is not whole: its run was cut short ${where}. It is judged up to there.`];
}
