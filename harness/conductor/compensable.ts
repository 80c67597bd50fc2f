import type { LedgerEntry } from '../../src/store/store.ts';
import { switchMatches } from '../../src/switch.ts';
import type { CompensateEntry } from '../scenario/scenario.ts';
import { subjectOf } from '../traffic/in-scope.ts';
import type { TraceRun } from '../traffic/trace.ts';

/**
 * The entries of a ledger that a timeline's entry wants compensated: writes that landed, in scope by the trace's word, not
 * compensated yet, the newest first.
 *
 * @param ledger in the order of the journal
 */
export function compensable(
  ledger: readonly LedgerEntry[],
  runs: ReadonlyMap<string, TraceRun>,
  { atMost, ...on }: CompensateEntry,
): readonly LedgerEntry[] {
  const wanted = ledger.filter(({ access, outcome, compensation, run, capability }) => {
    const known = runs.get(run);
    if (access !== 'write' || outcome !== 'landed' || compensation !== null || known === undefined) return false;
    return switchMatches(on, subjectOf(known, capability));
  });
  return wanted.slice(-atMost).toReversed();
}
