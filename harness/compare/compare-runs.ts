import type { Verdict } from '../checkers/checker.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillRecord } from '../drill/drill.ts';
import { scenarioToYaml } from '../scenario/to-yaml.ts';
import type { Prng } from '../traffic/prng.ts';
import { countsOf, figuresOf } from './figures.ts';
import { medianOf, noiseFloor } from './noise-floor.ts';

/** A stored run, judged anew. */
export interface JudgedRun {
  readonly record: DrillRecord;
  readonly judgement: Judgement;
}

/** What two runs show beside each other; `from` is the first, `to` the second. */
export interface Comparison {
  readonly scenario: readonly [from: string, to: string];
  /** In what the two runs differ besides their verdicts: figures of such runs compare with care. */
  readonly differences: readonly string[];
  readonly verdicts: readonly VerdictChange[];
  readonly figures: readonly FigureChange[];
  readonly counts: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  /** Whether any verdict got worse; a figure alone never says that. */
  readonly worse: boolean;
}

export interface VerdictChange {
  /** The property or expectation; `verdict` for the drill as a whole. */
  readonly name: string;
  /** Null: that run did not judge it. */
  readonly from: Verdict | null;
  readonly to: Verdict | null;
  readonly change: 'worse' | 'better';
  readonly reason: string | null;
}

export interface FigureChange {
  readonly name: string;
  readonly unit: string;
  /** How many samples each run has. */
  readonly n: readonly [from: number, to: number];
  /** Medians. */
  readonly from: number;
  readonly to: number;
  /** Second over first; null when the first is zero. */
  readonly ratio: number | null;
  /** Ratios up to this, and down to its inverse, are within the runs' own spread; null when they have too few samples. */
  readonly noiseFloor: number | null;
  readonly isBeyondNoise: boolean | null;
}

/** Sets the second run beside the first. The same two runs and the same prng give the same answer. */
export function compareRuns(one: JudgedRun, other: JudgedRun, prng: Prng): Comparison {
  const verdicts = verdictChanges(one.judgement, other.judgement);
  const before = countsOf(one.judgement);
  const counts = countsOf(other.judgement).map(({ name, count }, nth) => ({
    ...{ name, from: before[nth]?.count ?? 0, to: count },
  }));
  return {
    scenario: [one.judgement.scenario, other.judgement.scenario],
    differences: differencesOf(one, other),
    verdicts,
    figures: figureChanges(one, other, prng),
    counts,
    worse: verdicts.some(({ change }) => change === 'worse'),
  };
}

/** Best first. What passed and is now not even judged was shown before and is not any more: that is worse. */
const RANK: readonly (Verdict | null)[] = ['pass', 'not_applicable', null, 'inconclusive', 'error', 'fail'];

function verdictChanges(one: Judgement, other: Judgement): readonly VerdictChange[] {
  const [from, to] = [byName(one), byName(other)];
  return [...new Set([...from.keys(), ...to.keys()])].flatMap((name): readonly VerdictChange[] => {
    const was = from.get(name)?.verdict ?? null;
    const now = to.get(name)?.verdict ?? null;
    const step = RANK.indexOf(now) - RANK.indexOf(was);
    if (step === 0 || (isSilent(was) && isSilent(now))) return [];
    const change = step < 0 ? 'better' : 'worse';
    return [{ name, from: was, to: now, change, reason: to.get(name)?.reason ?? null }];
  });
}

/** Neither good nor bad: it does not apply, or was not asked for. */
function isSilent(verdict: Verdict | null): boolean {
  return verdict === null || verdict === 'not_applicable';
}

interface Judged {
  readonly verdict: Verdict;
  readonly reason: string;
}

function byName({ verdict, worst, properties, expectations }: Judgement): ReadonlyMap<string, Judged> {
  const overall: Judged = { verdict, reason: worst?.reason ?? '' };
  const each = [...properties, ...expectations].map((finding): [string, Judged] => [finding.name, finding]);
  return new Map<string, Judged>([['verdict', overall], ...each]);
}

function differencesOf(one: JudgedRun, other: JudgedRun): readonly string[] {
  const facts = ({ judgement, record }: JudgedRun): readonly (readonly [string, string])[] => [
    ['scenario', judgement.scenario],
    ['seed', String(judgement.seed)],
    ['environment', judgement.environment],
    ['workers', String(record.scenario.fleet.workers)],
    ['runs in the trace', String(record.trace.runs.length)],
  ];
  const there = facts(other);
  const found = facts(one).flatMap(([name, value], nth) => {
    const now = there[nth]?.[1] ?? '';
    return now === value ? [] : [`${name}: ${value} → ${now}`];
  });
  const isOther = found.length === 0 && scenarioToYaml(one.record.scenario) !== scenarioToYaml(other.record.scenario);
  return isOther ? ['the scenarios are not the same, though their names are'] : found;
}

function figureChanges(one: JudgedRun, other: JudgedRun, prng: Prng): readonly FigureChange[] {
  const there = figuresOf(other.record, other.judgement);
  return figuresOf(one.record, one.judgement).flatMap(({ name, unit, samples }, nth): readonly FigureChange[] => {
    const now = there[nth]?.samples ?? [];
    if (samples.length === 0 || now.length === 0) return [];
    const [from, to] = [medianOf(samples), medianOf(now)];
    const ratio = from === 0 ? null : to / from;
    const floors = [noiseFloor(samples, prng), noiseFloor(now, prng)];
    const floor = floors.includes(null) ? null : Math.max(...floors.map((each) => each ?? 0));
    const isBeyondNoise =
      floor === null || ratio === null ? null : Math.max(ratio, ratio === 0 ? Infinity : 1 / ratio) > floor;
    return [{ name, unit, n: [samples.length, now.length], from, to, ratio, noiseFloor: floor, isBeyondNoise }];
  });
}
