import type { Finding } from './checker.ts';
import { inconclusive, worstOf } from './finding.ts';

/** One finding for several stops: the worst, the first among equals. */
export function firstWorst(findings: readonly Finding[]): Finding {
  return worstOf(findings) ?? inconclusive('something to judge', 'the drill has none');
}
