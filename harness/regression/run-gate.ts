import { KilldrillError } from '../../src/errors.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillInput, DrillProgress } from '../drill/drill-input.ts';
import { NOTHING_PLANTED } from '../drill/prepare-store.ts';
import { runDrill } from '../drill/run-drill.ts';
import type { Ground } from '../drill/with-environment.ts';
import { compareWithKept } from './compare.ts';
import { cellsOf, plannedCells } from './coverage.ts';
import { notDrilled, resultOf, wantsAnother } from './gate-result.ts';
import type { Attempt, GateResult } from './gate-result.ts';
import type { GateSubject, Subject } from './gate-subject.ts';
import { notDrillable } from './not-drillable.ts';

export interface GateInput {
  readonly subjects: readonly Subject[];
  /** The fleet's command; null for that of each scenario. */
  readonly fleet: readonly string[] | null;
  readonly reportsFolder: string;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  /** How results name a bundle's folder. */
  readonly nameFolder: (path: string) => string;
  readonly onProgress: (progress: DrillProgress) => void;
  /** After each drill that came to a verdict. */
  readonly onDrilled: (judgement: Judgement, of: { readonly folder: string; readonly bundleFolder: string }) => void;
  /** As soon as it is known. */
  readonly onResult: (result: GateResult) => void;
  readonly signal: AbortSignal;
}

/** How often a kept run is drilled at most (docs/decisions/0019). */
const ATTEMPTS = 2;

/**
 * Drills kept runs again, one after another in one environment, each in a database of its own, and holds each against what
 * it had shown.
 *
 * @throws the signal's reason; a drill that breaks is a result
 */
export async function runGate(ground: Ground, input: GateInput): Promise<readonly GateResult[]> {
  const results: GateResult[] = [];
  for (const subject of input.subjects) {
    const result = await resultFor(subject, ground, input);
    results.push(result);
    input.onResult(result);
  }
  return results;
}

async function resultFor(subject: Subject, ground: Ground, input: GateInput): Promise<GateResult> {
  const { name, folder } = subject;
  if (subject.kind === 'lost') return notDrilled({ name, folder, kept: null }, subject.why, []);
  const named = { name, folder, kept: subject.kept.verdict };
  const why = notDrillable(subject, ground.environment, input.fleet);
  if (why !== null) return notDrilled(named, why, plannedCells(subject.plan.scenario));
  const attempts: Attempt[] = [];
  do {
    const attempt = await attemptOf(subject, ground, input);
    attempts.push(attempt);
    if (attempt.kind === 'judged') input.onDrilled(attempt.judgement, { folder, bundleFolder: attempt.bundleFolder });
  } while (attempts.length < ATTEMPTS && attempts.every(wantsAnother));
  return resultOf(named, attempts);
}

async function attemptOf(subject: GateSubject, ground: Ground, input: GateInput): Promise<Attempt> {
  const { plan, kept } = subject;
  const { nowMs, nameFolder, signal } = input;
  const startMs = nowMs();
  const seconds = (): number => (nowMs() - startMs) / 1_000;
  try {
    const { judgement, record, bundleFolder: written } = await runDrill(drillOf(plan, ground, input));
    const bundleFolder = nameFolder(written);
    const comparison = compareWithKept(kept, judgement);
    return { kind: 'judged', seconds: seconds(), bundleFolder, judgement, comparison, cells: cellsOf(record) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KilldrillError)) throw error;
    return { kind: 'broken', seconds: seconds(), why: error.message };
  }
}

function drillOf(plan: DrillInput['plan'], { environment, folder, watch }: Ground, input: GateInput): DrillInput {
  const { fleet, reportsFolder, onProgress, signal } = input;
  return {
    plan,
    environment,
    folder,
    reportsFolder,
    command: fleet,
    planted: NOTHING_PLANTED,
    onSpawned: watch,
    onProgress,
    signal,
  };
}
