/** What became of a candidate. `spent`: it was not tried, since nothing may be tried any more. */
export type Held = 'holds' | 'lost' | 'spent';

/**
 * The smallest part of these units that still holds, as far as delta debugging finds it: Zeller and Hildebrandt, "Simplifying
 * and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002, the algorithm ddmin, with the empty part tried first. The units
 * are cut in two, in four and so on; each part is tried alone, then what is left without it, and the first that holds is gone on
 * with. Unless tries are spent, what is answered cannot spare any single unit; for a judge by whom more units never hold less,
 * it is minimal.
 *
 * @param units holds as a whole, by the caller's word
 * @param holds is asked at most once for the same units
 */
export async function ddmin<T>(
  units: readonly T[],
  holds: (part: readonly T[]) => Promise<Held>,
): Promise<readonly T[]> {
  if (units.length === 0) return units;
  const asked = new Set<string>([keyOf(units.keys())]);
  let kept = [...units.keys()];
  let parts = 1;
  for (;;) {
    const step = await firstThatHolds(candidates(kept, parts), asked, (part) => holds(pick(units, part)));
    if (step.kind === 'spent') break;
    if (step.kind === 'found') {
      kept = [...step.part];
      if (kept.length === 0) break;
      // A part is cut anew; of what is left without one, the others have the right size already.
      parts = step.isRest ? Math.max(parts - 1, 2) : 2;
    } else {
      if (parts >= kept.length) break;
      parts = Math.min(parts * 2, kept.length);
    }
  }
  return pick(units, kept);
}

interface Candidate {
  readonly part: readonly number[];
  /** What is left without one of the parts. */
  readonly isRest: boolean;
}

/** Cut into one part, the only candidate is nothing at all. */
function candidates(kept: readonly number[], parts: number): readonly Candidate[] {
  if (parts === 1) return [{ part: [], isRest: false }];
  const cuts = Array.from({ length: parts }, (_, nth) =>
    kept.slice(Math.floor((nth * kept.length) / parts), Math.floor(((nth + 1) * kept.length) / parts)),
  );
  const rests = cuts.map((cut) => kept.filter((unit) => !cut.includes(unit)));
  return [...cuts.map((part) => ({ part, isRest: false })), ...rests.map((part) => ({ part, isRest: true }))];
}

type Step = ({ readonly kind: 'found' } & Candidate) | { readonly kind: 'none' | 'spent' };

async function firstThatHolds(
  all: readonly Candidate[],
  asked: Set<string>,
  holds: (part: readonly number[]) => Promise<Held>,
): Promise<Step> {
  for (const candidate of all) {
    const key = keyOf(candidate.part);
    if (asked.has(key)) continue;
    asked.add(key);
    const held = await holds(candidate.part);
    if (held === 'spent') return { kind: 'spent' };
    if (held === 'holds') return { kind: 'found', ...candidate };
  }
  return { kind: 'none' };
}

function keyOf(part: Iterable<number>): string {
  return [...part].join(',');
}

function pick<T>(units: readonly T[], part: readonly number[]): readonly T[] {
  const wanted = new Set(part);
  return units.filter((_, nth) => wanted.has(nth));
}
