import type { Verdict } from '../checkers/checker.ts';
import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { KeptVerdicts } from './regression-file.ts';

/** What a gate says of one kept run. */
export const ANSWERS = ['same', 'regressed', 'not_comparable'] as const;
export type GateAnswer = (typeof ANSWERS)[number];

/** A property or expectation that failed, and had not when the run was kept. */
export interface Regressed {
  readonly finding: PropertyFinding;
  readonly was: Verdict;
}

/** Why a drill cannot be held against the run that was kept. */
export interface NoComparison {
  /**
   * `not_shown`: the drill did not come to show it, another one may. `changed`: what was judged is not what is judged now,
   * and will not be in the next drill either.
   */
  readonly kind: 'not_shown' | 'changed';
  readonly why: string;
}

export interface Comparison {
  readonly answer: GateAnswer;
  readonly regressed: readonly Regressed[];
  readonly notComparable: readonly NoComparison[];
  /** What has changed for the better, or stayed as bad as it was. */
  readonly notes: readonly string[];
}

/**
 * Holds a drill's judgement against what was kept, property by property. Only a failure is a regression; what could not be
 * shown, does not apply any more, is gone or is new and not well, makes the two incomparable.
 */
export function compareWithKept(kept: KeptVerdicts, judgement: Judgement): Comparison {
  const now = [...judgement.properties, ...judgement.expectations];
  const before = { ...kept.expectations, ...kept.properties };
  const words = [
    ...Object.entries(before).map(([name, was]) => wordOn(name, was, now)),
    ...now.filter(({ name }) => before[name] === undefined).map(wordOnNew),
  ];
  const regressed = words.flatMap((word) => (word?.kind === 'regressed' ? [word.regressed] : []));
  const notComparable = words.flatMap((word) => (word?.kind === 'not_comparable' ? [word.no] : []));
  const notes = words.flatMap((word) => (word?.kind === 'note' ? [word.note] : []));
  const answer = regressed.length > 0 ? 'regressed' : notComparable.length > 0 ? 'not_comparable' : 'same';
  return { answer, regressed, notComparable, notes };
}

type Word =
  | { readonly kind: 'regressed'; readonly regressed: Regressed }
  | { readonly kind: 'not_comparable'; readonly no: NoComparison }
  | { readonly kind: 'note'; readonly note: string };

function wordOn(name: string, was: Verdict, now: readonly PropertyFinding[]): Word | null {
  const finding = now.find((one) => one.name === name);
  if (finding === undefined) return no('changed', `${name} is gone: this killdrill does not judge it in this drill`);
  const { verdict, reason } = finding;
  if (verdict === was) return was === 'fail' ? { kind: 'note', note: `${name} fails, as it did: ${reason}` } : null;
  switch (verdict) {
    case 'fail':
      return { kind: 'regressed', regressed: { finding, was } };
    case 'pass':
      return { kind: 'note', note: `${name} was ${was} and passes; promote this run to hold the fleet to that` };
    case 'not_applicable':
      return no('changed', `${name} was ${was} and does not apply any more: ${reason}`);
    case 'inconclusive':
    case 'error':
      return no('not_shown', `${name} was ${was} and is ${verdict}: ${reason}`);
  }
}

/** A property that this run was not judged by when it was kept. */
function wordOnNew({ name, verdict, reason }: PropertyFinding): Word | null {
  switch (verdict) {
    case 'not_applicable':
      return null;
    case 'pass':
      return { kind: 'note', note: `${name} is new and passes; promote this run to hold the fleet to that` };
    case 'fail':
      return no('changed', `${name} is new, and it fails: ${reason}`);
    case 'inconclusive':
    case 'error':
      return no('not_shown', `${name} is new, and it is ${verdict}: ${reason}`);
  }
}

function no(kind: NoComparison['kind'], why: string): Word {
  return { kind: 'not_comparable', no: { kind, why } };
}
