import type { Finding } from './checker.ts';
import { inconclusive, worstOf } from './finding.ts';

/** One finding for several: the worst, the first among equals; `ofNone` when there are none. */
export function firstWorst(
  findings: readonly Finding[],
  ofNone: Finding = inconclusive('something to judge', 'the drill has none'),
): Finding {
  return worstOf(findings) ?? ofNone;
}
