import type { Judgement } from '../checkers/verdict-file.ts';
import { EXIT_CODES } from '../checkers/verdict-file.ts';
import type { Comparison, GateAnswer } from './compare.ts';
import type { Cell } from './gate-file.ts';
import type { KeptVerdicts } from './regression-file.ts';
import { worstExit } from './worse-exit.ts';
import type { GateExit } from './worse-exit.ts';

/** One drill of a kept run. */
export type Attempt =
  | {
      readonly kind: 'judged';
      readonly seconds: number;
      readonly bundleFolder: string;
      readonly judgement: Judgement;
      readonly comparison: Comparison;
      readonly cells: readonly Cell[];
    }
  /** The harness or the fleet did not come to the end of it. */
  | { readonly kind: 'broken'; readonly seconds: number; readonly why: string };

/** What a gate found of one kept run. */
export interface GateResult {
  readonly name: string;
  readonly folder: string;
  /** The verdict that it had; null for one that cannot be read. */
  readonly kept: KeptVerdicts['verdict'] | null;
  readonly answer: GateAnswer;
  /** Sentences: what regressed, or why it cannot be compared; empty for `same`. */
  readonly why: readonly string[];
  readonly exitCode: GateExit;
  /** None for one that was not drilled, at most two. */
  readonly attempts: readonly Attempt[];
  /** It failed, and was well when it was drilled once more. It stays failed. */
  readonly flaky: boolean;
  readonly cells: readonly Cell[];
}

/** What one drill means for the gate: a drill that fails never passes, whether or not it failed when it was kept. */
export function exitOfAttempt(attempt: Attempt): GateExit {
  if (attempt.kind === 'broken') return EXIT_CODES.error;
  const { judgement, comparison } = attempt;
  const compared = { same: EXIT_CODES.pass, regressed: EXIT_CODES.fail, not_comparable: EXIT_CODES.inconclusive };
  return worstExit([judgement.exitCode, compared[comparison.answer]]);
}

/**
 * Whether a drill is to be done once more, to tell a defect from a chance: it regressed, broke, or did not come to show
 * something. What is as it was, and what another drill cannot change, is not.
 */
export function wantsAnother(attempt: Attempt): boolean {
  if (attempt.kind === 'broken') return true;
  const { regressed, notComparable } = attempt.comparison;
  return regressed.length > 0 || notComparable.some(({ kind }) => kind === 'not_shown');
}

/**
 * The result of one or two drills. A failure stays, whatever the second drill says; what the first did not show may be
 * shown by the second, for then a drill has shown it.
 */
export function resultOf(
  subject: Pick<GateResult, 'name' | 'folder' | 'kept'>,
  attempts: readonly Attempt[],
): GateResult {
  const exits = attempts.map(exitOfAttempt);
  const [first = EXIT_CODES.error, second] = exits;
  const isOpen = first === EXIT_CODES.inconclusive;
  const exitCode = isOpen && second !== undefined ? second : worstExit(exits);
  const decisive = attempts[isOpen ? attempts.length - 1 : exits.indexOf(exitCode)];
  return {
    ...subject,
    ...wordsOf(decisive),
    exitCode,
    attempts,
    flaky: !isOpen && first !== EXIT_CODES.pass && second === EXIT_CODES.pass,
    cells: attempts.flatMap((attempt) => (attempt.kind === 'judged' ? attempt.cells : [])),
  };
}

/** Of a kept run that was not drilled at all. */
export function notDrilled(
  subject: Pick<GateResult, 'name' | 'folder' | 'kept'>,
  why: string,
  cells: readonly Cell[],
): GateResult {
  const exitCode = EXIT_CODES.inconclusive;
  return { ...subject, answer: 'not_comparable', why: [why], exitCode, attempts: [], flaky: false, cells };
}

function wordsOf(attempt: Attempt | undefined): Pick<GateResult, 'answer' | 'why'> {
  if (attempt === undefined) return { answer: 'not_comparable', why: ['it was not drilled'] };
  if (attempt.kind === 'broken')
    return { answer: 'not_comparable', why: [`it did not come to a verdict: ${attempt.why}`] };
  const { answer, regressed, notComparable } = attempt.comparison;
  const failed = regressed.map(({ finding, was }) => `${finding.name} was ${was} and fails: ${finding.reason}`);
  return { answer, why: [...failed, ...notComparable.map(({ why }) => why)] };
}
