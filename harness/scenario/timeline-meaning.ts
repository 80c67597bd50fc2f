import type { RunContract } from '../../src/store/store.ts';
import { alertOrderMeaning } from './alert-meaning.ts';
import type { Complaint } from './complaint.ts';
import { runawayComesBack } from './detector-meaning.ts';
import { formatDuration } from './quantity.ts';
import { releaseMeaning } from './release-meaning.ts';
import { anchorOf } from './resolve.ts';
import type { ReadEntry } from './timeline-schema.ts';

/**
 * What is wrong with how the entries follow each other; paths are of the scenario. `contract` is the one at the start,
 * undefined when it cannot be read.
 */
export function timelineMeaning(
  entries: readonly ReadEntry[],
  contract: RunContract | null | undefined,
): readonly Complaint[] {
  if (entries.length === 0) return [];
  if (!entries.some((entry) => 'flip' in entry)) {
    const fix = 'add an entry such as { when: exposed, flip: { scope: global, mode: halt_all } }';
    return [
      { path: ['timeline'], found: 'no flip', expected: 'at least one: a drill without a stop proves nothing', fix },
    ];
  }
  return [
    ...anchorMeaning(entries),
    ...wayBackMeaning(entries),
    ...releaseMeaning(entries, contract),
    ...alertOrderMeaning(entries),
    ...runawayComesBack(entries),
  ];
}

function anchorMeaning(entries: readonly ReadEntry[]): readonly Complaint[] {
  const complaints: Complaint[] = [];
  let flipped = false;
  let latestMs = 0;
  for (const [index, entry] of entries.entries()) {
    const path = ['timeline', index, entry.when === undefined ? 'at' : 'when'];
    const when = anchorOf(entry);
    if (!flipped && (when.kind === 'flip' || when.kind === 'flip-hold')) {
      const fix = 'write for example +1s, or move the entry behind the flip';
      complaints.push({ path, found: 'a time counted from the flip', expected: 'a flip in an entry before', fix });
    }
    if (flipped && when.kind === 'exposed') {
      const expected = 'no flip before: exposed waits for work in scope of the first flip';
      complaints.push({ path, found: "'exposed' after a flip", expected, fix: 'write for example at: +1s' });
    }
    if (when.kind === 'start') {
      if (when.offsetMs < latestMs) {
        const found = formatDuration(when.offsetMs);
        const expected = `at least ${formatDuration(latestMs)}, the start of an entry before`;
        complaints.push({ path, found, expected, fix: 'put the entries in order of time' });
      }
      latestMs = Math.max(latestMs, when.offsetMs);
    }
    flipped ||= 'flip' in entry;
  }
  return complaints;
}

/** Nothing was stopped before the first flip, and what was never stopped cannot be brought back. */
function wayBackMeaning(entries: readonly ReadEntry[]): readonly Complaint[] {
  const first = entries.findIndex((entry) => 'flip' in entry);
  return entries.slice(0, first).flatMap((entry, index): readonly Complaint[] => {
    const kind = 'resume' in entry ? 'resume' : 'compensate' in entry ? 'compensate' : null;
    if (kind === null) return [];
    const fix = 'move it behind the flip';
    const found = `a ${kind === 'resume' ? kind : 'compensation'} before the first stop`;
    return [{ path: ['timeline', index, kind], found, expected: 'a flip in an entry before', fix }];
  });
}
