import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { Verdict } from '../checkers/checker.ts';
import { EXIT_CODES } from '../checkers/verdict-file.ts';
import type { GateAnswer } from './compare.ts';
import { coverageOf, emptyBecause } from './coverage.ts';
import type { Cell } from './gate-file.ts';
import { exitOfAttempt } from './gate-result.ts';
import type { Attempt, GateResult } from './gate-result.ts';
import { worstExit } from './worse-exit.ts';
import type { GateExit } from './worse-exit.ts';

export const GATE_REPORT_VERSION = 1;

/** What a gate found, as `gate --json` prints it. Additions keep the version. */
export interface GateReport {
  readonly version: typeof GATE_REPORT_VERSION;
  /** What it was pointed at. */
  readonly gate: string;
  readonly environment: string;
  /** fail > error > inconclusive > pass over kept runs and coverage; without any kept run, inconclusive. */
  readonly verdict: keyof typeof EXIT_CODES;
  readonly exitCode: GateExit;
  readonly seconds: number;
  /** Null without one. */
  readonly profile: ReportedProfile | null;
  readonly regressions: readonly ReportedRegression[];
  /** Of every cell that is demanded; empty when none is. */
  readonly coverage: readonly ReportedCell[];
}

export interface ReportedProfile {
  readonly name: string;
  /** What it may take; null for as long as it takes. */
  readonly withinSeconds: number | null;
  /** It took longer; that is told, and changes no verdict (docs/decisions/0024). */
  readonly ranOver: boolean;
}

export interface ReportedRegression {
  readonly name: string;
  readonly folder: string;
  readonly answer: GateAnswer;
  /** Sentences: what regressed, or why it cannot be compared; empty for `same`. */
  readonly why: readonly string[];
  readonly exitCode: GateExit;
  readonly flaky: boolean;
  /** The verdict that it had; null for one that cannot be read. */
  readonly kept: string | null;
  readonly drills: readonly ReportedDrill[];
}

export interface ReportedDrill {
  /** Null when it broke off. */
  readonly verdict: string | null;
  readonly exitCode: GateExit;
  readonly seconds: number;
  /** Its bundle; null when it broke off. */
  readonly bundle: string | null;
  readonly regressed: readonly { readonly was: Verdict; readonly finding: PropertyFinding }[];
  readonly notComparable: readonly string[];
  readonly notes: readonly string[];
  /** Why it broke off; null when it did not. */
  readonly broken: string | null;
}

export interface ReportedCell extends Cell {
  readonly by: readonly string[];
  readonly notShownBy: readonly string[];
  /** Why nothing covers it; null when something does. */
  readonly empty: string | null;
}

interface GateFacts {
  readonly gate: string;
  readonly environment: string;
  readonly seconds: number;
  readonly profile: { readonly name: string; readonly withinMs: number | null } | null;
}

/** Puts together what a gate found. An empty cell fails it. */
export function gateReportOf(
  { profile, ...facts }: GateFacts,
  results: readonly GateResult[],
  demanded: readonly Cell[],
): GateReport {
  const coverage = coverageOf(demanded, results).map((covered) => {
    const { cell, by, notShownBy } = covered;
    return { ...cell, by, notShownBy, empty: emptyBecause(covered) };
  });
  const ofCells = coverage.map(({ empty }) => (empty === null ? EXIT_CODES.pass : EXIT_CODES.fail));
  const none = results.length === 0 ? [EXIT_CODES.inconclusive] : [];
  const exitCode = worstExit([...results.map((one) => one.exitCode), ...ofCells, ...none]);
  const regressions = results.map(({ attempts, cells: _, ...result }) => ({
    ...result,
    drills: attempts.map(drillOf),
  }));
  return {
    version: GATE_REPORT_VERSION,
    ...facts,
    profile: profile === null ? null : profileOf(profile, facts.seconds),
    verdict: wordOf(exitCode),
    exitCode,
    regressions,
    coverage,
  };
}

function profileOf({ name, withinMs }: NonNullable<GateFacts['profile']>, seconds: number): ReportedProfile {
  const withinSeconds = withinMs === null ? null : withinMs / 1_000;
  return { name, withinSeconds, ranOver: withinSeconds !== null && seconds > withinSeconds };
}

function drillOf(attempt: Attempt): ReportedDrill {
  const { seconds } = attempt;
  const exitCode = exitOfAttempt(attempt);
  if (attempt.kind === 'broken') {
    const nothing = { verdict: null, bundle: null, regressed: [], notComparable: [], notes: [] };
    return { ...nothing, exitCode, seconds, broken: attempt.why };
  }
  const { judgement, bundleFolder, comparison } = attempt;
  return {
    verdict: judgement.verdict,
    exitCode,
    seconds,
    bundle: bundleFolder,
    regressed: comparison.regressed,
    notComparable: comparison.notComparable.map(({ why }) => why),
    notes: comparison.notes,
    broken: null,
  };
}

function wordOf(exitCode: GateExit): GateReport['verdict'] {
  const words: readonly GateReport['verdict'][] = ['pass', 'fail', 'inconclusive', 'error'];
  return words.find((word) => EXIT_CODES[word] === exitCode) ?? 'error';
}
