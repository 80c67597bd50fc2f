import type { TraceRun } from '../traffic/trace.ts';
import { hasEnd } from './effects-of.ts';
import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { withAttached } from './task-of-step.ts';
import { taskName } from './tasks-of.ts';
import type { TaskChange, WitnessedTask } from './tasks-of.ts';

/**
 * A task that was put back for another attempt more often than anything of it failed; null when there is none. What is put
 * back so has spent an attempt, and a stop's refusal is to spend none: after some stops the run would end as failed.
 */
export function spentByRefusal(index: DrillIndex): Finding | null {
  for (const task of index.tasks.values()) {
    const tried = task.run === null ? undefined : task.changes.filter(isAnotherTry)[failuresOf(index, task)];
    if (tried === undefined) continue;
    const reason = `${taskName(task)} was put back for another attempt after revision ${tried.afterRevision}, and nothing of it had failed: a refusal has spent an attempt`;
    return fail(reason, { ...changeEvidence(task, tried, null), attempts: tried.attempts });
  }
  return null;
}

/** A claim that is over by itself spends its attempt too, and is not put back for another one. */
function isAnotherTry({ from, to, retry }: TaskChange): boolean {
  return from === 'running' && to !== 'running' && retry;
}

/** How often something that is done under the task's claims failed, or may have where it is sent again for that: at most. */
function failuresOf(index: DrillIndex, { run, step }: WitnessedTask): number {
  if (run === null) return 0;
  if (step !== null) return failuresOfStep(index, run, step);
  const steps = withAttached(index.runs, run).flatMap((one) =>
    one.plan.map((_, nth) => failuresOfStep(index, one, nth)),
  );
  return steps.reduce((sum, failures) => sum + failures, 0);
}

function failuresOfStep(index: DrillIndex, run: TraceRun, step: number): number {
  const key = `${run.run}/${step}`;
  const arrivals = index.byStep.get(key) ?? [];
  const refused = arrivals.filter((effect) => hasEnd(effect, 'failed')).length;
  const planned = run.plan[step];
  // A call without an answer is tried again only where that does no harm.
  if (planned?.idempotent !== true && planned?.kind !== 'spawn') return refused;
  // Nobody keeps account of reads that need no intent: one that never arrived is nowhere.
  if (!planned.journal) return Number.POSITIVE_INFINITY;
  const intents = index.intentsByKey.get(`${run.run} ${key}`) ?? [];
  const cut = arrivals.filter((effect) => !hasEnd(effect, 'landed') && !hasEnd(effect, 'failed')).length;
  return refused + Math.max(cut, intents.filter(({ outcome }) => outcome === 'unknown' || outcome === null).length);
}
