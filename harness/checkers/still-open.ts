import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { engagementOfStop } from './queue-of.ts';
import { journalWasRead } from './witness-of.ts';

/**
 * A stop whose engagement the store does not have, or that was closed by a flip that no release of the drill is; null when
 * there is none, or when the store was not read.
 */
export function closedByNobody(index: DrillIndex, stop: Stop, evidence: Finding['evidence']): Finding | null {
  if (!journalWasRead(index)) return null;
  const engagement = engagementOfStop(index, stop);
  if (engagement === null) return fail(`the store has no engagement of the stop of ${nameOf(stop.on)}`, evidence);
  const { closedRevision } = engagement;
  if (!Number.isFinite(closedRevision)) return null;
  const closing = index.storeFlips.find(({ revision }) => revision === closedRevision);
  const isOurs = index.flips.some(
    ({ kind, engagements, id }) =>
      kind === 'release' && engagements.includes(stop.id) && closing?.text.includes(JSON.stringify(id)) === true,
  );
  if (isOurs) return null;
  return fail(`the stop of ${nameOf(stop.on)} was closed at revision ${closedRevision}, which no release asked for`, {
    ...evidence,
    closedRevision,
  });
}
