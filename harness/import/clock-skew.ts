import { KilldrillError } from '../../src/errors.ts';
import { lengthText } from './times.ts';

/** Clocks that differ by less are taken to agree. */
const AGREE_MS = 1_000;
/** One offset explains a difference that varies by no more. */
const STEADY_MS = 5_000;
/** A consequence comes within this of its cause. */
const CONSEQUENCE_MS = 600_000;
/** Zones differ by multiples of this. */
const ZONE_STEP_MS = 900_000;
const MAX_SAMPLE = 20_000;

/** Ids of one source with their times, at most so many: which of them is a matter of their hash, so that another source keeps the same. */
export class MatchSample {
  readonly #times = new Map<string, number>();
  #bound = 2 ** 32;

  offer(id: string, atMs: number): void {
    if (hash(id) >= this.#bound) return;
    this.#times.set(Buffer.from(id).toString(), atMs);
    while (this.#times.size > MAX_SAMPLE) {
      this.#bound /= 2;
      for (const known of this.#times.keys()) if (hash(known) >= this.#bound) this.#times.delete(known);
    }
  }

  /** Undefined for an id that was not offered, or not kept. */
  get(id: string): number | undefined {
    return this.#times.get(id);
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** What to add to one source's times so that they are those of another, and why. */
export interface Correction {
  readonly addMs: number;
  /** Null when nothing is to be corrected. */
  readonly sentence: string | null;
}

interface Compared {
  /** The source whose clock is looked at, and the one that it is compared with. */
  readonly source: string;
  readonly with: string;
  /** The one whose times are moved; `source` unless it says otherwise. */
  readonly moved?: string;
}

/**
 * From the same moments in both sources, by ids that both have.
 *
 * @param differencesMs time in `source` less time in `with`, one for each id
 * @throws KilldrillError `CLOCKS_DISAGREE` when no single offset explains them
 */
export function sameMoments(differencesMs: readonly number[], compared: Compared): Correction {
  const { source, with: other } = compared;
  if (differencesMs.length === 0) return { addMs: 0, sentence: null };
  const sorted = differencesMs.toSorted((one, another) => one - another);
  const middle = at(sorted, 0.5);
  if (Math.abs(middle) <= AGREE_MS) return { addMs: 0, sentence: null };
  const [low, high] = [at(sorted, 0.1), at(sorted, 0.9)];
  if (high - low > STEADY_MS) {
    const sentence = `${source} and ${other} have ${sorted.length} ids in common, whose times differ by ${signed(low)} to ${signed(high)}; expected one offset for all`;
    throw new KilldrillError('CLOCKS_DISAGREE', `${sentence}; mend the times, or leave one of the two away`);
  }
  return { addMs: -middle, sentence: said(compared, middle, sorted.length, 'ids that both have') };
}

/**
 * From consequences and their causes: a refused effect and its flip, a flip and its alert. A consequence comes a little
 * after its cause, so that only what no delay explains is held to be the clock: whole quarters of an hour.
 *
 * @param delaysMs time of the consequence in `source` less that of its cause in `with`
 * @throws KilldrillError `CLOCKS_DISAGREE` when no time zone explains them either
 */
export function afterCauses(delaysMs: readonly number[], compared: Compared): Correction {
  const { source, with: other } = compared;
  if (delaysMs.length === 0) return { addMs: 0, sentence: null };
  const sorted = delaysMs.toSorted((one, another) => one - another);
  const middle = at(sorted, 0.5);
  if (middle >= -AGREE_MS && middle <= CONSEQUENCE_MS) return { addMs: 0, sentence: null };
  const zoneMs = Math.round(middle / ZONE_STEP_MS) * ZONE_STEP_MS;
  const rest = middle - zoneMs;
  if (rest < -AGREE_MS || rest > 60_000) {
    const sentence = `what ${source} has comes ${signed(middle)} after its cause in ${other} (by ${sorted.length} ids), which is neither a delay nor a time zone`;
    throw new KilldrillError(
      'CLOCKS_DISAGREE',
      `${sentence}; say by how much its clock is off, for example offset: -90m in the mapping`,
    );
  }
  return { addMs: -zoneMs, sentence: said(compared, zoneMs, sorted.length, 'ids that name each other') };
}

function said({ source, with: other, moved = source }: Compared, aheadMs: number, count: number, by: string): string {
  const ahead = aheadMs > 0 ? 'ahead of' : 'behind';
  return `the clock of ${source} is ${lengthText(aheadMs)} ${ahead} that of ${other}, by ${count} ${by}: the times of ${moved} were moved`;
}

function signed(ms: number): string {
  return `${ms < 0 ? '-' : ''}${lengthText(ms)}`;
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
