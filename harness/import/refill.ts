import { planIsInScope } from '../traffic/in-scope.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { FlipEntry, TimelineEntry } from '../scenario/scenario.ts';
import type { Findings } from './finding.ts';
import { lengthText } from './times.ts';

/** A run that is due so soon after a stop may have been on its way. */
const ON_ITS_WAY_MS = 250;

/**
 * The runs with those that a stop kept from arriving. While a switch is stopped its front door is often closed, and nothing
 * in its scope is on record: a drill without such work would show nothing. So the work in scope before the stop comes again,
 * as often as the stop lasts.
 *
 * @param lengthMs of the drill
 */
export function refillHolds(
  runs: readonly TraceRun[],
  timeline: readonly TimelineEntry[],
  lengthMs: number,
  findings: Findings,
): readonly TraceRun[] {
  const added: TraceRun[] = [];
  for (const [index, entry] of timeline.entries()) {
    if (entry.kind !== 'flip' || entry.scope === 'run') continue;
    const fromMs = offsetOf(entry);
    const toMs = endOf(entry, timeline.slice(index + 1)) ?? lengthMs;
    const isThere = runs.some(
      (run) => run.dueMs > fromMs + ON_ITS_WAY_MS && run.dueMs < toMs && planIsInScope(entry, run),
    );
    if (!isThere) added.push(...again(entry, runs, { index, fromMs, toMs }, findings));
  }
  return [...runs, ...added].toSorted((one, other) => one.dueMs - other.dueMs);
}

function again(
  on: FlipEntry,
  runs: readonly TraceRun[],
  { index, fromMs, toMs }: { readonly index: number; readonly fromMs: number; readonly toMs: number },
  findings: Findings,
): readonly TraceRun[] {
  const periodMs = Math.min(fromMs, Math.max(1_000, toMs - fromMs));
  const before = runs.filter(
    (run) =>
      run.dueMs >= fromMs - periodMs &&
      run.dueMs < fromMs &&
      run.lineage === undefined &&
      run.plan.every(({ child }) => child === undefined) &&
      planIsInScope(on, run),
  );
  const added: TraceRun[] = [];
  for (let round = 1; fromMs - periodMs + round * periodMs < toMs && round <= 1_000; round += 1) {
    for (const run of before) {
      const dueMs = run.dueMs + round * periodMs;
      if (dueMs > fromMs + ON_ITS_WAY_MS && dueMs < toMs)
        added.push({ ...run, dueMs, run: `${run.run}+${index}.${round}` });
    }
  }
  const what = `what would have arrived in scope of the stop at ${lengthText(fromMs)} while it was on: nothing is on record`;
  findings.add('not reconstructed', what);
  if (added.length > 0) {
    findings.add(
      'assumed',
      `${added.length} runs stand for them: those in scope of the ${lengthText(periodMs)} before that stop, again`,
    );
  }
  return added;
}

function offsetOf({ when }: TimelineEntry): number {
  return when.kind === 'start' ? when.offsetMs : 0;
}

/** Null for a stop that nobody releases. */
function endOf(on: FlipEntry, later: readonly TimelineEntry[]): number | null {
  const release = later.find(
    (entry) => entry.kind === 'release' && entry.scope === on.scope && entry.target === on.target,
  );
  return release === undefined ? null : offsetOf(release);
}
