import type { Anchor, Scenario, TimelineEntry } from '../scenario/scenario.ts';

/**
 * Those of these entries that can stay: a release is of a stop that is still open, a forgery of one that there was, and what
 * nothing kept has stopped before is dropped as well.
 *
 * @param kept indices of the timeline, in order
 */
export function entriesThatStay(timeline: readonly TimelineEntry[], kept: readonly number[]): readonly number[] {
  const before: TimelineEntry[] = [];
  return kept.filter((index) => {
    const entry = timeline[index];
    if (entry === undefined || !hasItsStop(entry, before)) return false;
    before.push(entry);
    return true;
  });
}

/**
 * The entries of a timeline that are kept, each at about the moment at which it came: what counted from an entry that is dropped
 * counts from what that one counted from. How long a dropped entry waited for exposure, or for an effect, is lost; whether the
 * drill still shows what it showed is for a drill to say.
 *
 * @param kept indices of the timeline
 */
export function reducedTimeline(
  { timeline, holdMs }: Pick<Scenario, 'timeline' | 'holdMs'>,
  kept: ReadonlySet<number>,
): readonly TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  /** When the entry right before was due, if it is dropped. */
  let before: Anchor | null = null;
  /** When the first flip was due, until one is kept. */
  let lostFlip: Anchor | null = null;
  let flipped = false;
  for (const [index, entry] of timeline.entries()) {
    const when = moved(entry.when, { before, lostFlip: flipped ? null : lostFlip, holdMs });
    if (kept.has(index)) {
      entries.push({ ...entry, when });
      before = null;
      flipped ||= entry.kind === 'flip';
    } else {
      before = when;
      if (entry.kind === 'flip') lostFlip ??= when;
    }
  }
  return entries;
}

interface Lost {
  readonly before: Anchor | null;
  readonly lostFlip: Anchor | null;
  readonly holdMs: number;
}

function moved(when: Anchor, { before, lostFlip, holdMs }: Lost): Anchor {
  switch (when.kind) {
    case 'previous':
      return before === null ? when : later(before, when.offsetMs, holdMs);
    case 'flip':
      return lostFlip === null ? when : later(lostFlip, when.offsetMs, holdMs);
    case 'flip-hold':
      return lostFlip === null ? when : later(lostFlip, holdMs, holdMs);
    case 'start':
    case 'exposed':
    case 'effect':
      return when;
  }
}

function later(from: Anchor, ms: number, holdMs: number): Anchor {
  switch (from.kind) {
    case 'start':
    case 'previous':
    case 'flip':
      return { ...from, offsetMs: from.offsetMs + ms };
    case 'flip-hold':
      return ms === 0 ? from : { kind: 'flip', offsetMs: holdMs + ms };
    case 'exposed':
    case 'effect':
      return from;
  }
}

function hasItsStop(entry: TimelineEntry, before: readonly TimelineEntry[]): boolean {
  if (entry.kind !== 'release' && entry.kind !== 'forge') return true;
  const ofSwitch = before.filter((one) => 'scope' in one && one.scope === entry.scope && one.target === entry.target);
  const lastRelease = ofSwitch.findLastIndex((one) => one.kind === 'release' && one.expect === 'taken');
  const from = entry.kind === 'release' ? lastRelease + 1 : 0;
  return ofSwitch.slice(from).some(({ kind }) => kind === 'flip');
}
